"""A plot of runs a minute over the number of workers, as an SVG without any library."""

from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 56
_COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")
Point = tuple[float, float]


def draw_lines(title: str, across: str, up: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """Return an SVG. across, up: what the axes are; lines: their points by their names."""
    points = [point for line in lines.values() for point in line]
    right, top = max(x for x, _ in points), max(y for _, y in points) * 1.1
    body = [_text(_WIDTH / 2, 20, title), _text(_WIDTH / 2, _HEIGHT - 8, across), _text(8, 36, up, anchor="start")]
    body += _axes(sorted({x for x, _ in points}), top, right)
    for number, (name, line) in enumerate(lines.items()):
        body += _line(name, [_place(point, right, top) for point in line], _COLOURS[number % len(_COLOURS)], number)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *body, "</svg>", ""])


def _place(point: Point, right: float, top: float) -> Point:
    across, up = point
    return (
        _MARGIN + across / right * (_WIDTH - 2.5 * _MARGIN),
        _HEIGHT - _MARGIN - up / top * (_HEIGHT - 2 * _MARGIN),
    )


def _axes(ticks: Sequence[float], top: float, right: float) -> list[str]:
    left, floor = _place((0, 0), right, top)
    end, ceiling = _place((right, top), right, top)
    path = f"M{left:.0f},{ceiling:.0f} V{floor:.0f} H{end:.0f}"
    found = [f'<path d="{path}" fill="none" stroke="#888"/>']
    found += [_text(_place((tick, 0), right, top)[0], floor + 16, f"{tick:g}") for tick in ticks]
    for part in (0.25, 0.5, 0.75, 1.0):
        found.append(_text(left - 6, _place((0, top * part), right, top)[1] + 4, f"{top * part:.0f}", anchor="end"))
    return found


def _line(name: str, points: Sequence[Point], colour: str, number: int) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    label = _text(_WIDTH - 1.4 * _MARGIN, 60 + 18 * number, name, anchor="start", colour=colour)
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots, label]


def _text(x: float, y: float, text: str, *, anchor: str = "middle", colour: str = "#222") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="12" text-anchor="{anchor}" fill="{colour}">{text}</text>'
