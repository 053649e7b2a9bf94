"""The labels of tags, in the languages of the platform. A tag that staff invent is its own label."""

from collections.abc import Mapping
from typing import Final

from shared.text import Text

_FRENCH: Final[Mapping[str, str]] = {
    "abbey": "Abbaye", "africa": "Afrique", "antarctica": "Antarctique", "archaeology": "Archéologie",
    "architecture": "Architecture", "arctic": "Arctique", "art": "Art", "asia": "Asie", "baroque": "Baroque",
    "bay": "Baie", "beach": "Plage", "boat": "Bateau", "bridge": "Pont", "canal": "Canal", "canyon": "Canyon",
    "capital": "Capitale", "castle": "Château", "caves": "Grottes", "city": "Ville", "cliff": "Falaise",
    "coast": "Côte", "craft": "Artisanat", "desert": "Désert", "diving": "Plongée", "engineering": "Génie civil",
    "europe": "Europe", "family": "Famille", "film": "Cinéma", "fjord": "Fjord", "fountain": "Fontaine",
    "garden": "Jardin", "geology": "Géologie", "geothermal": "Géothermie", "glacier": "Glacier", "gothic": "Gothique",
    "greek": "Grec antique", "harbour": "Port", "hiking": "Randonnée", "history": "Histoire", "island": "Île",
    "lake": "Lac", "landmark": "Site emblématique", "library": "Bibliothèque", "market": "Marché", "maya": "Maya",
    "medieval": "Médiéval", "metropolis": "Métropole", "mine": "Mine", "monastery": "Monastère",
    "monument": "Monument", "mountain": "Montagne", "museum": "Musée", "music": "Musique", "nature": "Nature",
    "neighbourhood": "Quartier", "nightlife": "Vie nocturne", "north-america": "Amérique du Nord",
    "northern-lights": "Aurores boréales", "oceania": "Océanie", "old-town": "Vieille ville", "palace": "Palais",
    "park": "Parc", "pilgrimage": "Pèlerinage", "prehistoric": "Préhistoire", "reef": "Récif", "religion": "Religion",
    "river": "Rivière", "roman": "Romain", "safari": "Safari", "sea": "Mer", "ship": "Navire",
    "silk-road": "Route de la soie", "south-america": "Amérique du Sud", "spa": "Thermes", "square": "Place",
    "trekking": "Trek", "unesco": "Patrimoine mondial", "viewpoint": "Point de vue", "village": "Village",
    "volcano": "Volcan", "waterfall": "Cascade", "wildlife": "Faune sauvage",
}  # fmt: skip
_ENGLISH: Final[Mapping[str, str]] = {
    "greek": "Ancient Greek", "maya": "Maya", "north-america": "North America", "south-america": "South America",
    "unesco": "World heritage", "africa": "Africa", "asia": "Asia", "europe": "Europe", "oceania": "Oceania",
    "silk-road": "Silk Road",
}  # fmt: skip


def tag_label(tag: str) -> Text:
    """Return the label of a tag: `old-town` is "Old town" and "Vieille ville"."""
    english = _ENGLISH.get(tag.lower()) or tag.replace("-", " ").capitalize()
    return Text(en=english, fr=_FRENCH.get(tag.lower(), english))
