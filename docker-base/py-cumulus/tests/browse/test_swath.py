"""Browse images of swaths: pixels cover what lies between their neighbours, all over the globe."""

import netCDF4
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from cumulus.browse import plot, swath
from cumulus.browse.scene import describe
from cumulus.collection import BrowseRules

WHITE, GREY = (255, 255, 255), (208, 208, 208)


class Picture:
    """A drawn image with its figure, which tells where a position lies in it."""

    def __init__(self, figure, path):
        self.axes = figure.axes[0]
        self.size = figure.get_size_inches() * 100
        self.pixels = (imread(path)[..., :3] * 255).round().astype(int)

    def colour(self, x, y):
        column, row = self.axes.transData.transform((x, y))
        return tuple(self.pixels[int(self.size[1] - row), int(column)])

    def is_coloured(self, x, y):
        return self.colour(x, y) not in (WHITE, GREY)


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Draw a swath, given by longitudes, latitudes and values, as a product would be."""
    figures = []
    save = Figure.savefig

    def keep(figure, *arguments, **options):
        save(figure, *arguments, **options)
        figures.append(figure)

    monkeypatch.setattr(Figure, "savefig", keep)

    def drawn(east, north, values=None, **rules):
        with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
            dataset.createDimension("line", east.shape[0])
            dataset.createDimension("pixel", east.shape[1])
            for name, units, content in (
                ("lat", "degrees_north", north),
                ("lon", "degrees_east", (east + 180) % 360 - 180),
                ("value", "K", np.ones(east.shape) if values is None else values),
            ):
                variable = dataset.createVariable(name, "f8", ("line", "pixel"), fill_value=-999.0)
                variable.units = units
                variable[:] = np.ma.masked_invalid(content)
        with netCDF4.Dataset(tmp_path / "a.nc") as dataset:
            scene = describe(dataset, "a", BrowseRules(**rules))
        assert scene.kind == "swath"
        plot.draw(scene, BrowseRules(**rules), tmp_path / "a.png")
        return Picture(figures[-1], tmp_path / "a.png")

    return drawn


def tilted(rows, columns, east=-60.0, north=20.0, angle=20.0):
    """Positions of a swath of 20 x 12 degrees around a point, turned by an angle."""
    along, across = np.meshgrid(
        np.linspace(-10, 10, rows), np.linspace(-6, 6, columns), indexing="ij"
    )
    turn = np.radians(angle)
    return (
        east + across * np.cos(turn) + along * np.sin(turn),
        north + along * np.cos(turn) - across * np.sin(turn),
    )


def over_the_pole(rows=40, columns=20):
    """Positions of a swath whose middle is the north pole, 1 degree a pixel."""
    x, y = np.meshgrid(np.arange(columns) - columns / 2, np.arange(rows) - rows / 2)
    x, y = x + 0.5, y + 0.5
    return np.degrees(np.arctan2(y, x)), 90 - np.hypot(x, y)


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (5, 3), (45, 30), (300, 7), (1200, 900)])
def test_swath_of_any_size_is_covered(draw, rows, columns):
    """Dots at the centres of 45 x 30 pixels would colour 4 % of it."""
    east, north = tilted(rows, columns)
    picture = draw(east, north)
    rng = np.random.default_rng(1)
    across, along = rng.uniform(-0.97, 0.97, (2, 500))
    turn = np.radians(20)
    x = -60 + 6 * across * np.cos(turn) + 10 * along * np.sin(turn)
    y = 20 + 10 * along * np.cos(turn) - 6 * across * np.sin(turn)
    share = np.mean([picture.is_coloured(*point) for point in zip(x, y, strict=True)])
    assert share == 1


@pytest.mark.parametrize("rows", [1, 2])
def test_single_line_has_pixels_as_long_as_wide(draw, rows):
    """A line of pixels has no neighbours from which their length would follow."""
    east, north = np.meshgrid(np.arange(10.0), np.arange(float(rows)))
    picture = draw(east[:2] if rows > 1 else east, north) if rows > 1 else None
    x, y = swath.corners(east, north)
    assert x.shape == (rows + 1, 11)
    np.testing.assert_allclose(np.diff(y, axis=0), 1, rtol=0.01)
    assert picture is None or picture.is_coloured(4.4, 0.5)


def test_pixels_lie_where_their_positions_are(draw):
    """A marked pixel has its colour at its centre and nowhere else."""
    east, north = tilted(45, 30)
    values = np.zeros(east.shape)
    marked = [(0, 0), (44, 29), (10, 20), (22, 3)]
    for index in marked:
        values[index] = 1
    picture = draw(east, north, values, range=(0, 1))
    yellow = picture.colour(east[0, 0], north[0, 0])
    assert yellow == (253, 231, 37)  # the end of viridis
    for index in np.ndindex(east.shape):
        assert (picture.colour(east[index], north[index]) == yellow) == (index in marked), index


def test_missing_values_are_grey_and_missing_positions_white(draw):
    """Pixels beside a missing position keep their size."""
    east, north = tilted(45, 30)
    values = np.ones(east.shape)
    values[20, 10] = np.nan
    lost = east[30, 10], north[30, 10]
    east[30, 10] = np.nan
    picture = draw(east, north, values)
    assert picture.colour(east[20, 10], north[20, 10]) == GREY
    assert picture.colour(*lost) == WHITE
    for index in ((29, 10), (31, 10), (30, 9), (30, 11), (19, 10), (20, 11)):
        assert picture.is_coloured(east[index], north[index])


def test_gap_between_lines_stays_a_gap(draw):
    """The pixels at either side of it are not stretched."""
    east, north = np.meshgrid(np.arange(10.0), [0.0, 1, 2, 3, 13, 14, 15])
    picture = draw(east, north)
    assert picture.colour(5, 8) == WHITE
    for latitude in (0, 3.4, 12.6, 15):
        assert picture.is_coloured(5, latitude)
    assert picture.colour(5, 3.7) == picture.colour(5, 12.3) == WHITE


def test_swath_across_the_antimeridian_is_whole(draw):
    """Its axis counts on beyond 180."""
    east, north = tilted(45, 30, east=179.0)
    picture = draw(east, north)
    for index in np.ndindex(east.shape):
        assert picture.is_coloured(east[index], north[index]), index
    assert picture.colour(picture.axes.get_xlim()[0] + 0.5, 20) == WHITE
    assert picture.axes.get_xlim()[1] < 220


def test_swath_around_the_globe_is_cut_at_the_edge(draw):
    """Each pixel across the edge has a half at either side; none is drawn across the map."""
    east, north = np.meshgrid(np.arange(-176.0, 180, 8), [-20.0, 0.0, 20.0])
    east[1] += 4  # of the middle row, one pixel lies on the antimeridian
    north = north + np.zeros(east.shape)
    values = np.zeros(east.shape)
    values[1, -1] = 1
    picture = draw(east, north, values, range=(0, 1))
    marked = (253, 231, 37)
    assert picture.colour(179, 0) == picture.colour(-179, 0) == marked
    assert picture.colour(0, 0) != marked and picture.colour(120, 5) != marked


def test_pixels_at_the_pole_are_covered(draw):
    """Every longitude near the pole is coloured, the pole itself included."""
    east, north = over_the_pole()
    values = np.where(north > 89, 1.0, 0.0)
    picture = draw(east, north, values, range=(0, 1))
    yellow = (253, 231, 37)
    for longitude in range(-175, 180, 10):
        assert picture.colour(longitude, 89.7) == yellow
        assert picture.is_coloured(longitude, 85)


def test_pixel_around_the_pole_reaches_from_edge_to_edge():
    """Its corners alone would make a sliver."""
    east = np.array([[-135.0, -45.0], [135.0, 45.0]])
    plain, cut = swath.polygons(east, np.full((2, 2), 89.0), -180.0)
    assert not plain.any()
    ((row, column, outline),) = cut
    assert (row, column) == (0, 0)
    assert outline[[0, -1]].tolist() == [[-180, 90], [180, 90]]
    assert outline[1].tolist() == [-180, 89]


def test_corners_lie_between_centres():
    """On the sphere, half way, and half a pixel beyond the edges."""
    east, north = np.meshgrid([10.0, 12.0, 14.0], [-1.0, 1.0])
    x, y = swath.corners(east, north)
    np.testing.assert_allclose(x[1], [9, 11, 13, 15], atol=1e-2)
    np.testing.assert_allclose(y[:, 1], [-2, 0, 2], atol=1e-2)


def test_swath_that_is_a_point_says_so(draw):
    """A granule of an instrument at rest would look empty."""
    picture = draw(np.full((15, 9), -80.1), np.full((15, 9), 26.079))
    (text,) = picture.axes.texts
    assert text.get_text() == "all pixels lie at latitude, longitude 26.0790, -80.1000"


def test_swath_that_is_thinned_says_so(draw):
    """The picture has room for some 500 rows."""
    picture = draw(*tilted(1200, 30))
    assert picture.axes.figure.get_supxlabel() == "shown: every 3rd row and 1st column"
