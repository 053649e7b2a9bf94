"""Draws the map of a place: its country, the cities around it as dots, and the place marked and named.

Pure: takes values and returns an image. `library` writes the files, `pictures` reads the rows.
"""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import cos, radians
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from destinations_service.catalogue.photos.atlas import View, around, large_cities, rings, rings_of
from destinations_service.catalogue.photos.palettes import PALETTES, Palette

WIDTH: Final = 1280
HEIGHT: Final = 800
RENDITION_WIDTHS: Final = (320, 640, 1280)
OVERSAMPLING: Final = 2
QUALITY: Final = 84
FONTS: Final = Path(__file__).parent / "fonts"
WHITE: Final = (255, 255, 255)
GRATICULE_COLOUR: Final = (255, 255, 255, 26)
SCALE_OF_CITY: Final = 95.0  # pixels per degree, so that the map shows about 13 degrees
SCALE_OF_POINT_OF_INTEREST: Final = 150.0
LABELS: Final = 7
LARGEST_SCALE_OF_COUNTRY: Final = 420.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a drawn photo shows.

    `subtitle` is written below the name: the continent, the country, or city and country.
    """

    name: str
    subtitle: str
    kind: str
    country: str
    continent: str
    latitude: float
    longitude: float


def draw(place: Place) -> Image.Image:
    """Return the photo of `place`, 1280 by 800 pixels. The same place always gives the same image."""
    palette = PALETTES[place.continent]
    view = view_of(place)
    image = sea(palette).copy()
    land, country = masks(view, place.country)
    image.paste(mixed(palette.sea_top, WHITE, 0.28), (0, 0), shallows(land))
    image.paste(palette.land, (0, 0), land)
    if box := country.getbbox():
        image.paste(palette.country, box, country.crop(box))
    pen = ImageDraw.Draw(image, "RGBA")
    graticule(pen, view)
    if place.kind != "COUNTRY":
        circles(pen, view, place, palette)
    dot_cities(pen, view, place, palette)
    if place.kind != "COUNTRY" or not visible(view, place.country):
        mark(image, view.xy(place.longitude, place.latitude), palette)
    image.paste(shade(palette.sea_bottom, 0.55), (0, HEIGHT - caption_shadow().height), caption_shadow())
    write(image, place, palette)
    locate(image, place, palette)
    return image


def renditions(image: Image.Image) -> dict[int, bytes]:
    """Return a JPEG file per width. The files carry no metadata."""
    files = {}
    for width in RENDITION_WIDTHS:
        smaller = image if width == image.width else image.reduce(image.width // width)
        packed = BytesIO()
        smaller.save(packed, "JPEG", quality=QUALITY, subsampling=0 if width < WIDTH else 2)
        files[width] = packed.getvalue()
    return files


def view_of(place: Place) -> View:
    """Return the window of the map: a country as a whole, any other place a little above the middle."""
    if place.kind == "COUNTRY" and (own := rings_of(place.country)):
        west, east = min(ring.west for ring in own), max(ring.east for ring in own)
        south, north = min(ring.south for ring in own), max(ring.north for ring in own)
        north = min(north, 78.0)
        south = max(south, -78.0)
        latitude, longitude = (south + north) / 2, (west + east) / 2
        across = max(cos(radians(latitude)), 0.1)
        scale = min(
            WIDTH * 0.66 / max((east - west) * across, 0.1),
            HEIGHT * 0.58 / max(north - south, 0.1),
            LARGEST_SCALE_OF_COUNTRY,
        )
        return View(latitude - HEIGHT * 0.08 / scale, longitude, scale, WIDTH, HEIGHT)
    scale = SCALE_OF_POINT_OF_INTEREST if place.kind == "POINT_OF_INTEREST" else SCALE_OF_CITY
    return View(place.latitude - HEIGHT * 0.1 / scale, place.longitude, scale, WIDTH, HEIGHT)


def visible(view: View, country: str) -> bool:
    """Return whether a country is large enough on the map to need no marker."""
    return any((ring.north - ring.south) * view.scale > HEIGHT * 0.06 for ring in rings_of(country))


def masks(view: View, country: str) -> tuple[Image.Image, Image.Image]:
    """Return the masks of all land and of the country, fainter along borders.

    They are drawn larger and then reduced, which smooths their edges.
    """
    size = (view.width * OVERSAMPLING, view.height * OVERSAMPLING)
    large = View(view.latitude, view.longitude, view.scale * OVERSAMPLING, *size)
    land, own = Image.new("L", size), Image.new("L", size)
    land_pen, own_pen = ImageDraw.Draw(land), ImageDraw.Draw(own)
    outlines = [
        (ring.country == country, points)
        for ring in large.shown(rings())
        if len(points := large.polygon(ring)) > 2  # a small island may keep fewer than three points
    ]
    for is_own, points in outlines:
        land_pen.polygon(points, fill=255)
        if is_own:
            own_pen.polygon(points, fill=255)
    for is_own, points in outlines:
        if is_own:
            own_pen.line(points, fill=120, width=3)
        else:
            land_pen.line(points, fill=205, width=2)
    return land.reduce(OVERSAMPLING), own.reduce(OVERSAMPLING)


def shallows(land: Image.Image) -> Image.Image:
    """Return the mask of shallow sea: a soft edge around the land."""
    return (
        land.reduce(8)
        .filter(ImageFilter.BoxBlur(2))
        .resize(land.size, Image.Resampling.BILINEAR)
        .point(lambda value: value * 0.5)
    )


def graticule(pen: ImageDraw.ImageDraw, view: View) -> None:
    """Draw faint meridians and parallels. Their spacing depends on the scale."""
    spacing = next(step for step in (30, 20, 10, 5, 2, 1, 0.5) if step * view.scale < 260 or step == 0.5)
    half_height, half_width = view.half_height, view.half_width
    for n in range(int((view.latitude - half_height) // spacing), int((view.latitude + half_height) // spacing) + 1):
        y = view.xy(view.longitude, n * spacing)[1]
        pen.line((0, y, view.width, y), fill=GRATICULE_COLOUR)
    if half_width < 180:
        for n in range(
            int((view.longitude - half_width) // spacing), int((view.longitude + half_width) // spacing) + 1
        ):
            x = view.xy(n * spacing, view.latitude)[0]
            pen.line((x, 0, x, view.height), fill=GRATICULE_COLOUR)


def circles(pen: ImageDraw.ImageDraw, view: View, place: Place, palette: Palette) -> None:
    """Draw three circles around the place, 50 km apart for a point of interest and 100 km for a city."""
    x, y = view.xy(place.longitude, place.latitude)
    step = view.scale * (50 if place.kind == "POINT_OF_INTEREST" else 100) / 111.2
    for n in (3, 2, 1):
        pen.ellipse(
            (x - n * step, y - n * step, x + n * step, y + n * step),
            fill=(*palette.mark, 16),
            outline=(*palette.mark, 70),
        )


def dot_cities(pen: ImageDraw.ImageDraw, view: View, place: Place, palette: Palette) -> None:
    """Draw a dot for each larger city in the window, sized by population.

    Name the largest whose labels do not overlap.
    """
    ink = shade(palette.sea_bottom, 0.75)
    south, north, half_width = view.latitude - view.half_height, view.latitude + view.half_height, view.half_width
    taken = [(WIDTH - 310.0, 0.0, WIDTH * 1.0, 160.0), (0.0, 560.0, WIDTH * 1.0, HEIGHT * 1.0)]
    if place.kind != "COUNTRY":
        x, y = view.xy(place.longitude, place.latitude)
        taken.append((x - 60, y - 100, x + 60, y + 30))
    label = font("Inter-Medium", 19)
    named = 0
    for city in large_cities():
        if not south < city.latitude < north or abs(around(city.longitude - view.longitude)) > half_width:
            continue
        x, y = view.xy(city.longitude, city.latitude)
        radius = 1.8 + min(city.population / 1_500_000, 5)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*ink, 150))
        if named < LABELS and (place.kind != "COUNTRY" or city.country == place.country):
            box = (x - 8, y - 16, x + 22 + label.getlength(city.name), y + 16)
            if box[2] < view.width - 20 and x > 20 and not any(overlap(box, other) for other in taken):
                pen.text(
                    (x + radius + 6, y),
                    city.name,
                    font=label,
                    fill=(*ink, 255),
                    anchor="lm",
                    stroke_width=2,
                    stroke_fill=(*palette.land, 190),
                )
                taken.append(box)
                named += 1


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def mark(image: Image.Image, at: tuple[float, float], palette: Palette) -> None:
    """Draw the marker: a pin with a white dot, whose tip is at the place."""
    pin, size = marker(palette)
    image.paste(pin, (round(at[0] - size / 2), round(at[1] - size * 0.92)), pin)


@cache
def marker(palette: Palette) -> tuple[Image.Image, int]:
    """Return the marker's image, which is transparent around the pin, and the length of its side in pixels."""
    size, zoom = 96, 4
    large = Image.new("RGBA", (size * zoom, size * zoom))
    pen = ImageDraw.Draw(large)
    side = size * zoom

    def drop(grow: float, fill: tuple[int, ...]) -> None:
        middle, radius = side * 0.38, side * (0.25 + grow)
        pen.ellipse((side / 2 - radius, middle - radius, side / 2 + radius, middle + radius), fill=fill)
        pen.polygon(
            [
                (side / 2 - radius * 0.94, middle + radius * 0.34),
                (side / 2 + radius * 0.94, middle + radius * 0.34),
                (side / 2, side * (0.92 + grow)),
            ],
            fill=fill,
        )

    pen.ellipse((side * 0.34, side * 0.88, side * 0.66, side * 0.96), fill=(0, 0, 0, 70))
    drop(0.022, (255, 255, 255, 255))
    drop(0, (*palette.mark, 255))
    pen.ellipse((side * 0.40, side * 0.28, side * 0.60, side * 0.48), fill=(255, 255, 255, 255))
    return large.reduce(zoom), size


def write(image: Image.Image, place: Place, palette: Palette) -> None:
    """Write the name and the subtitle at the lower left, and the position at the lower right."""
    pen = ImageDraw.Draw(image)
    left, width = 64, WIDTH - 128
    size = next(
        (
            size
            for size in (92, 80, 68, 58, 50, 42, 34)
            if font("Fraunces-SemiBold", size).getlength(place.name) <= width
        ),
        28,
    )
    pen.text((left, 672), place.name, font=font("Fraunces-SemiBold", size), fill=WHITE, anchor="ls")
    pen.rectangle((left, 698, left + 72, 703), fill=palette.country)
    pen.text((left, 745), place.subtitle, font=font("Inter-Medium", 28), fill=WHITE, anchor="ls")
    pen.text(
        (WIDTH - 64, 745), position(place), font=font("Inter-Medium", 24), fill=shade(palette.land, 0.92), anchor="rs"
    )


def locate(image: Image.Image, place: Place, palette: Palette) -> None:
    """Draw a small map of the world at the upper right, with the place as a dot."""
    world = small_world()
    left, top = WIDTH - world.width - 40, 36
    image.paste(shade(palette.sea_bottom, 0.8), (left - 12, top - 10), rounded(world.width + 24, world.height + 20))
    image.paste(palette.land, (left, top), world)
    x, y = left + (place.longitude + 180) / 360 * world.width, top + (84 - place.latitude) / 144 * world.height
    pen = ImageDraw.Draw(image)
    pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=WHITE)
    pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=palette.mark)


@cache
def small_world() -> Image.Image:
    """Return the mask of land on a map of the world, 240 pixels wide, from 84 degrees north to 60 south."""
    zoom, width, height = 4, 240, 96
    large = Image.new("L", (width * zoom, height * zoom))
    pen = ImageDraw.Draw(large)
    for ring in rings():
        if ring.area < 0.3:
            continue
        pen.polygon(
            [((x + 180) / 360 * width * zoom, (84 - y) / 144 * height * zoom) for x, y in ring.points[::3]], fill=190
        )
    return large.reduce(zoom)


@cache
def rounded(width: int, height: int) -> Image.Image:
    """Return the mask of a half-transparent panel with round corners."""
    large = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(large).rounded_rectangle((0, 0, width * 2 - 1, height * 2 - 1), 28, fill=165)
    return large.reduce(2)


@cache
def sea(palette: Palette) -> Image.Image:
    """Return the background of a continent's photos: the sea, darker towards the bottom."""
    column = Image.new("RGB", (1, HEIGHT))
    for y in range(HEIGHT):
        share = y / HEIGHT
        column.putpixel((0, y), mixed(palette.sea_top, palette.sea_bottom, share))
    return column.resize((WIDTH, HEIGHT))


@cache
def caption_shadow() -> Image.Image:
    """Return the mask that darkens the lower part, so that the caption is readable: clear at the top, dark at the
    bottom.
    """
    height = round(HEIGHT * 0.44)
    column = Image.new("L", (1, height))
    for y in range(height):
        column.putpixel((0, y), round(235 * min(1.0, y / height * 1.7) ** 1.4))
    return column.resize((WIDTH, height))


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / f"{name}.ttf", size)


def position(place: Place) -> str:
    """Return latitude and longitude as maps write them: 48.86° N  2.35° E."""
    north, east = "N" if place.latitude >= 0 else "S", "E" if place.longitude >= 0 else "W"
    return f"{abs(place.latitude):.2f}° {north}   {abs(place.longitude):.2f}° {east}"


def mixed(start: tuple[int, int, int], end: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
    return red, green, blue


def shade(colour: tuple[int, int, int], brightness: float) -> tuple[int, int, int]:
    return mixed((0, 0, 0), colour, brightness)
