"""The names of places in every language, and the search index that services derive from them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from destinations_service.catalogue.models.places import Destination


class PlaceName(models.Model):
    """A name of a place beside those of its translations: in another language, a former one, an abbreviation.

    `language` is an ISO 639 code in lower case, or empty if it is unknown. No language is part of the schema.
    """

    class Kind(models.TextChoices):
        """What kind of name it is."""

        NATIVE = "NATIVE", "In a language of the place"
        ALTERNATE = "ALTERNATE", "In another language"
        ABBREVIATION = "ABBREVIATION", "An abbreviation or code"
        ASCII = "ASCII", "In ASCII"

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="names")
    language = models.CharField(max_length=8, blank=True, default="", db_default="", help_text="ISO 639, such as de.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.ALTERNATE)

    class Meta:
        ordering = ["language", "name"]
        constraints = [models.UniqueConstraint(fields=["destination", "language", "name"], name="place_name_once")]

    def __str__(self) -> str:
        return self.name


class SearchEntry(models.Model):
    """What search knows of a place or a trip. Its id is the id of the place or trip.

    `names` are shown, and `folded` are the same names as search compares them. `ancestors` are the places that it is
    in, which can match a word for it. `popularity` and `population` order equally good matches.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=20, help_text="The kind of the place, or TRIP.")
    kind_order = models.SmallIntegerField()
    ancestors = ArrayField(models.UUIDField())
    country_code = models.CharField(max_length=2)
    tags = ArrayField(models.CharField(max_length=40))
    names = ArrayField(models.TextField())
    folded = ArrayField(models.TextField())
    popularity = models.IntegerField()
    population = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "search entries"
        indexes = [GinIndex(fields=["ancestors"], name="search_entry_ancestors")]

    def __str__(self) -> str:
        return self.names[0] if self.names else str(self.id)


class SearchPosting(models.Model):
    """A word that finds an entry. A word of a tag begins with `#`, the first letters of a name with `^`, and a whole
    name of one or two letters with `=`.

    `rank` orders the entries of a word roughly as results are ordered. A search for a frequent word reads only the
    entries of the lowest ranks.
    """

    pk = models.CompositePrimaryKey("entry_id", "word")
    entry_id = models.UUIDField()
    word = models.CharField(max_length=200, db_collation="C")
    rank = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["word", "rank", "entry_id"], name="search_postings_by_rank")]

    def __str__(self) -> str:
        return self.word


class SearchWord(models.Model):
    """A word of any name or tag. A typing error is looked up here, by trigrams."""

    word = models.CharField(max_length=200, primary_key=True, db_collation="C")

    class Meta:
        indexes = [GinIndex(OpClass("word", name="gin_trgm_ops"), name="search_words_by_trigram")]

    def __str__(self) -> str:
        return self.word
