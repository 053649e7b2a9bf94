"""Draws a map of a place: its country among the others, the cities around as dots, the place marked and named.

Pure: values in, an image out. Where files go, and which row they belong to, is the caller's.
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
INK: Final = (255, 255, 255)
NET: Final = (255, 255, 255, 26)
SCALE_OF_CITY: Final = 95.0  # pixels per degree: some 13 degrees across
SCALE_OF_POINT_OF_INTEREST: Final = 150.0
LABELS: Final = 7
LARGEST_SCALE_OF_COUNTRY: Final = 420.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a drawn photo shows. `subtitle` stands under the name: the country, or the city and the country."""

    name: str
    subtitle: str
    kind: str
    country: str
    continent: str
    latitude: float
    longitude: float


def draw(place: Place) -> Image.Image:
    """Return the photo of `place`, 1280 by 800 pixels. The same place is drawn alike each time."""
    palette = PALETTES[place.continent]
    view = view_of(place)
    image = sea(palette).copy()
    land, country = masks(view, place.country)
    image.paste(mixed(palette.sea_top, INK, 0.28), (0, 0), shallows(land))
    image.paste(palette.land, (0, 0), land)
    if box := country.getbbox():
        image.paste(palette.country, box, country.crop(box))
    pen = ImageDraw.Draw(image, "RGBA")
    net(pen, view)
    if place.kind != "COUNTRY":
        circles(pen, view, place, palette)
    dot_cities(pen, view, place, palette)
    if place.kind != "COUNTRY" or not visible(view, place.country):
        mark(image, view.xy(place.longitude, place.latitude), palette)
    image.paste(shade(palette.sea_bottom, 0.55), (0, HEIGHT - veil().height), veil())
    write(image, place, palette)
    locate(image, place, palette)
    return image


def renditions(image: Image.Image) -> dict[int, bytes]:
    """Return JPEG files of the fixed widths. They carry no metadata."""
    files = {}
    for width in RENDITION_WIDTHS:
        smaller = image if width == image.width else image.reduce(image.width // width)
        packed = BytesIO()
        smaller.save(packed, "JPEG", quality=QUALITY, subsampling=0 if width < WIDTH else 2)
        files[width] = packed.getvalue()
    return files


def view_of(place: Place) -> View:
    """Return the window that shows the place a little above the middle, or the whole of a country."""
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
    """True when a country is large enough on the map to be found without a marker."""
    return any((ring.north - ring.south) * view.scale > HEIGHT * 0.06 for ring in rings_of(country))


def masks(view: View, country: str) -> tuple[Image.Image, Image.Image]:
    """Return where land is, and where the country is, thinner along borders; smooth, as they are drawn larger and reduced."""
    size = (view.width * OVERSAMPLING, view.height * OVERSAMPLING)
    large = View(view.latitude, view.longitude, view.scale * OVERSAMPLING, *size)
    land, own = Image.new("L", size), Image.new("L", size)
    land_pen, own_pen = ImageDraw.Draw(land), ImageDraw.Draw(own)
    outlines = [
        (ring.country == country, points)
        for ring in large.shown(rings())
        if len(points := large.polygon(ring)) > 2  # thinned, an islet may be less than a triangle
    ]
    for ours, points in outlines:
        land_pen.polygon(points, fill=255)
        if ours:
            own_pen.polygon(points, fill=255)
    for ours, points in outlines:
        if ours:
            own_pen.line(points, fill=120, width=3)
        else:
            land_pen.line(points, fill=205, width=2)
    return land.reduce(OVERSAMPLING), own.reduce(OVERSAMPLING)


def shallows(land: Image.Image) -> Image.Image:
    """Return where the sea is shallow: a soft edge around the land."""
    return (
        land.reduce(8)
        .filter(ImageFilter.BoxBlur(2))
        .resize(land.size, Image.Resampling.BILINEAR)
        .point(lambda value: value * 0.5)
    )


def net(pen: ImageDraw.ImageDraw, view: View) -> None:
    """Draw faint meridians and parallels, as far apart as suits the scale."""
    apart = next(step for step in (30, 20, 10, 5, 2, 1, 0.5) if step * view.scale < 260 or step == 0.5)
    half_height, half_width = view.half_height, view.half_width
    for n in range(int((view.latitude - half_height) // apart), int((view.latitude + half_height) // apart) + 1):
        y = view.xy(view.longitude, n * apart)[1]
        pen.line((0, y, view.width, y), fill=NET)
    if half_width < 180:
        for n in range(int((view.longitude - half_width) // apart), int((view.longitude + half_width) // apart) + 1):
            x = view.xy(n * apart, view.latitude)[0]
            pen.line((x, 0, x, view.height), fill=NET)


def circles(pen: ImageDraw.ImageDraw, view: View, place: Place, palette: Palette) -> None:
    """Draw circles around the place, 50 kilometres apart for a point of interest, 100 for a city."""
    x, y = view.xy(place.longitude, place.latitude)
    step = view.scale * (50 if place.kind == "POINT_OF_INTEREST" else 100) / 111.2
    for n in (3, 2, 1):
        pen.ellipse(
            (x - n * step, y - n * step, x + n * step, y + n * step),
            fill=(*palette.mark, 16),
            outline=(*palette.mark, 70),
        )


def dot_cities(pen: ImageDraw.ImageDraw, view: View, place: Place, palette: Palette) -> None:
    """Set a dot for each of the larger cities in the window, by its population, and name the largest that leave room."""
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


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def mark(image: Image.Image, at: tuple[float, float], palette: Palette) -> None:
    """Set the marker: a drop with a white eye whose tip is the place."""
    pin, size = marker(palette)
    image.paste(pin, (round(at[0] - size / 2), round(at[1] - size * 0.92)), pin)


@cache
def marker(palette: Palette) -> tuple[Image.Image, int]:
    """Return the marker's image, with transparency, and its side in pixels."""
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
    """Set the name, the subtitle and the position in the lower left."""
    pen = ImageDraw.Draw(image)
    left, room = 64, WIDTH - 128
    size = next(
        (
            size
            for size in (92, 80, 68, 58, 50, 42, 34)
            if font("Fraunces-SemiBold", size).getlength(place.name) <= room
        ),
        28,
    )
    pen.text((left, 672), place.name, font=font("Fraunces-SemiBold", size), fill=INK, anchor="ls")
    pen.rectangle((left, 698, left + 72, 703), fill=palette.country)
    pen.text((left, 745), place.subtitle, font=font("Inter-Medium", 28), fill=INK, anchor="ls")
    pen.text(
        (WIDTH - 64, 745), position(place), font=font("Inter-Medium", 24), fill=shade(palette.land, 0.92), anchor="rs"
    )


def locate(image: Image.Image, place: Place, palette: Palette) -> None:
    """Set a small map of the world in the upper right, the place as a dot on it."""
    world = small_world()
    left, top = WIDTH - world.width - 40, 36
    image.paste(shade(palette.sea_bottom, 0.8), (left - 12, top - 10), rounded(world.width + 24, world.height + 20))
    image.paste(palette.land, (left, top), world)
    x, y = left + (place.longitude + 180) / 360 * world.width, top + (84 - place.latitude) / 144 * world.height
    pen = ImageDraw.Draw(image)
    pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=INK)
    pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=palette.mark)


@cache
def small_world() -> Image.Image:
    """Return where land is on a map of the world, 240 pixels wide, from 84 degrees north to 60 south."""
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
    """Return a half-transparent panel with round corners, as a mask."""
    large = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(large).rounded_rectangle((0, 0, width * 2 - 1, height * 2 - 1), 28, fill=165)
    return large.reduce(2)


@cache
def sea(palette: Palette) -> Image.Image:
    """Return the ground of every photo of a continent: the sea, growing darker downward."""
    column = Image.new("RGB", (1, HEIGHT))
    for y in range(HEIGHT):
        share = y / HEIGHT
        column.putpixel((0, y), mixed(palette.sea_top, palette.sea_bottom, share))
    return column.resize((WIDTH, HEIGHT))


@cache
def veil() -> Image.Image:
    """Return how much of the lower part is darkened for the words to be read: nothing at its top, most at the foot."""
    height = round(HEIGHT * 0.44)
    column = Image.new("L", (1, height))
    for y in range(height):
        column.putpixel((0, y), round(235 * min(1.0, y / height * 1.7) ** 1.4))
    return column.resize((WIDTH, height))


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / f"{name}.ttf", size)


def position(place: Place) -> str:
    """Return latitude and longitude as a map writes them: 48.86° N  2.35° E."""
    north, east = "N" if place.latitude >= 0 else "S", "E" if place.longitude >= 0 else "W"
    return f"{abs(place.latitude):.2f}° {north}   {abs(place.longitude):.2f}° {east}"


def mixed(one: tuple[int, int, int], other: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def shade(colour: tuple[int, int, int], brightness: float) -> tuple[int, int, int]:
    return mixed((0, 0, 0), colour, brightness)
