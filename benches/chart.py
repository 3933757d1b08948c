"""The chart of docs/performance.md: how many times as fast as wolfSSL each backend is, operation by operation."""

import math
from xml.sax.saxutils import escape

from figures import OPERATIONS, PEER, times

WIDTH = 860
LEFT, RIGHT, TOP, BOTTOM = 200, 60, 66, 46
BAR, GAP = 11, 10

# Fill in light and in dark surroundings. They differ in lightness, so that they can be told apart without colour.
COLOURS = {
    "ifma": ("#1f4e79", "#9cc4ee"),
    "bmi2": ("#3f8f6b", "#5cae88"),
    "portable": ("#c7a15a", "#8a6d3b"),
}
MEANINGS = {
    "ifma": "ifma: AVX-512 IFMA",
    "bmi2": "bmi2: mulx, adcx, adox",
    "portable": "portable: plain Rust",
}


def draw(figures, processor):
    groups = [
        (name, [(backend, figures.ratio(backend, name, peer)) for backend in figures.backends])
        for name, _, peer in OPERATIONS
        if any(figures.ratio(backend, name, peer) for backend in figures.backends)
    ]
    scale = Scale([ratio for _, bars in groups for _, ratio in bars if ratio])
    pitch = BAR * len(figures.backends) + GAP
    bottom = TOP + pitch * len(groups)
    peer_name = figures.runs[PEER]["backend"]

    parts = [legend(figures.backends), *(tick(scale, value, bottom) for value in scale.ticks)]
    for row, (name, bars) in enumerate(groups):
        parts.append(group(scale, TOP + GAP / 2 + row * pitch, name, bars))
    parts.append(f'<path class="one" d="M{scale.x(1):.1f} {TOP - 4} V{bottom}"/>')
    parts.append(f'<text class="note" x="{scale.x(1):.1f}" y="{bottom + 36}" text-anchor="middle">{escape(peer_name)}</text>')
    parts.append(f'<text class="note" x="{WIDTH - RIGHT}" y="{bottom + 36}" text-anchor="end">times as fast on {escape(processor)} (logarithmic)</text>')
    return "\n".join([head(bottom + BOTTOM, figures.backends, f"{peer_name} on {processor}", description(groups)), *parts, "</svg>\n"])


class Scale:
    """A logarithmic axis over all the ratios, and 1 in any case."""

    def __init__(self, ratios):
        self.low = min(1.0, *ratios) / 1.08
        self.high = max(2.0, *ratios)
        steps = (factor * 10.0**power for power in range(-2, 5) for factor in (1, 2, 5))
        self.ticks = [step for step in steps if self.low <= step <= self.high]

    def x(self, ratio):
        part = math.log(ratio / self.low) / math.log(self.high / self.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)


def head(height, backends, peer, what):
    light = " ".join(f".{name} {{ fill: {COLOURS[name][0]} }}" for name in backends)
    dark = " ".join(f".{name} {{ fill: {COLOURS[name][1]} }}" for name in backends)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="13">
<title id="title">mikey-sakke against {escape(peer)}</title>
<desc id="desc">{escape(what)}</desc>
<style>
  {light}
  .name, .value {{ fill: #16202b }}
  .note {{ fill: #51677f }}
  .value {{ font-size: 10px }}
  .grid {{ stroke: #d3dbe4; stroke-width: 1 }}
  .one {{ stroke: #51677f; stroke-width: 1.5 }}
  @media (prefers-color-scheme: dark) {{
    {dark}
    .name, .value {{ fill: #f0f4f8 }}
    .note {{ fill: #a9bdd3 }}
    .grid {{ stroke: #33445a }}
    .one {{ stroke: #a9bdd3 }}
  }}
</style>"""


def description(groups):
    """The chart in words, for those who do not see it."""
    sentences = [
        f"{name}: " + ", ".join(f"{backend} {times(ratio)}" for backend, ratio in bars if ratio) for name, bars in groups
    ]
    return "How many times as fast as wolfSSL each backend is. " + "; ".join(sentences) + "."


def legend(backends):
    parts = []
    for place, backend in enumerate(backends):
        x = LEFT + place * 215
        parts.append(f'<rect class="{backend}" x="{x}" y="14" width="14" height="14"/>')
        parts.append(f'<text class="name" x="{x + 21}" y="26">{escape(MEANINGS[backend])}</text>')
    return "\n".join(parts)


def tick(scale, value, bottom):
    x = scale.x(value)
    return (
        f'<path class="grid" d="M{x:.1f} {TOP} V{bottom}"/>'
        f'<text class="note" x="{x:.1f}" y="{TOP - 8}" text-anchor="middle">{value:g}</text>'
        f'<text class="note" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>'
    )


def group(scale, top, name, bars):
    middle = top + BAR * len(bars) / 2
    parts = [f'<text class="name" x="{LEFT - 10}" y="{middle + 5:.1f}" text-anchor="end">{escape(name)}</text>']
    for place, (backend, ratio) in enumerate(bars):
        if not ratio:
            continue
        y = top + place * BAR
        left, right = sorted((scale.x(1), scale.x(ratio)))
        parts.append(f'<rect class="{backend}" x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" height="{BAR - 1}"/>')
        parts.append(f'<text class="value" x="{right + 4:.1f}" y="{y + 8.5:.1f}">{times(ratio)}</text>')
    return "\n".join(parts)
