"""Draws docs/s-curve.svg: ``python -m benchmarks.s_curve docs/s-curve.svg``."""

import argparse
from pathlib import Path
from typing import Final

from transforms.text.minhash import Banding, candidate_probability, choose_banding

_LEFT, _TOP, _WIDTH, _HEIGHT = 60, 20, 520, 280  # of the plot, in pixels
_STEPS: Final = 100


def draw() -> str:
    """The picture: candidate probability by Jaccard, of the default banding and of datasketch's for 0.7."""
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 370" font-family="sans-serif" font-size="12">',
        '<rect width="620" height="370" fill="#fff"/>',
    ]
    for tenth in range(0, 11, 2):
        x, y = _place(tenth / 10, tenth / 10)
        lines += [
            f'<path d="M{_LEFT} {y:.1f}h{_WIDTH}M{x:.1f} {_TOP}v{_HEIGHT}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth / 10:g}</text>',
            f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{tenth / 10:g}</text>',
        ]
    threshold, _ = _place(0.7, 0)
    lines += [
        f'<path d="M{threshold:.1f} {_TOP}v{_HEIGHT}" stroke="#888" stroke-dasharray="4 4"/>',
        f'<text x="{threshold + 6:.1f}" y="{_TOP + _HEIGHT - 8}" fill="#555">threshold 0.7</text>',
        f'<text x="{_LEFT + _WIDTH / 2}" y="{_TOP + _HEIGHT + 40}" text-anchor="middle">Jaccard of the two</text>',
        f'<text transform="translate(18 {_TOP + _HEIGHT / 2}) rotate(-90)" text-anchor="middle">probability that they '
        "are candidates</text>",
    ]
    curves = (
        (choose_banding(0.7, 128), "#06c", "cleancopy", 60),
        (Banding(25, 5), "#c40", "datasketch", 82),
    )
    for banding, colour, name, y in curves:
        points = " ".join(
            "{:.1f},{:.1f}".format(*_place(step / _STEPS, candidate_probability(step / _STEPS, banding)))
            for step in range(_STEPS + 1)
        )
        label = f"{name}: {banding.bands} × {banding.rows}, {candidate_probability(0.7, banding):.4f} at 0.7"
        lines += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<path d="M{_LEFT + 16} {y - 4}h24" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{_LEFT + 48}" y="{y}">{label}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def _place(jaccard: float, probability: float) -> tuple[float, float]:
    return _LEFT + jaccard * _WIDTH, _TOP + (1 - probability) * _HEIGHT


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.parse_args().file.write_text(draw(), "utf-8")


if __name__ == "__main__":
    main()
