"""The graph: one strip a figure over the time, with a line for each fault. SVG, made here."""

from html import escape

WIDTH, STRIP, GAP, LEFT, RIGHT, TOP = 1000, 74, 16, 70, 10, 30
CARRIER, ENDPOINT, BRIDGE = "#c0392b", "#d99a1c", "#7d3c98"
STEP = 10  # seconds between two points


def colour(fault):
    if fault.startswith(("broker", "link")):
        return CARRIER
    return BRIDGE if fault.startswith(("bridge", "limits", "certificates")) else ENDPOINT


def thinned(points):
    """The highest of each step: a peak must not vanish."""
    best = {}
    for x, y in points:
        key = int(x // STEP)
        if key not in best or y > best[key][1]:
            best[key] = (x, y)
    return [best[key] for key in sorted(best)]


def number(value):
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def draw(title, strips, windows, begin, end):
    """`strips`: pairs of a name and points (monotonic time, value); returns the SVG's text."""
    span = max(end - begin, 1)
    inner = WIDTH - LEFT - RIGHT
    across = lambda x: LEFT + (x - begin) / span * inner
    height = TOP + len(strips) * (STRIP + GAP) + 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           'font-family="sans-serif" font-size="11">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           f'<text x="{LEFT}" y="18" font-size="13">{escape(title)}</text>']
    bottom = TOP + len(strips) * (STRIP + GAP) - GAP
    for name, start, stop in windows:
        x = across(start)
        out.append(f'<rect x="{x:.1f}" y="{TOP}" width="{max(across(stop) - x, 1):.1f}" '
                   f'height="{bottom - TOP}" fill="{colour(name)}" opacity=".28">'
                   f'<title>{escape(name)}, minute {(start - begin) / 60:.1f}</title></rect>')
    for index, (name, points) in enumerate(strips):
        top = TOP + index * (STRIP + GAP)
        points = thinned(points)
        most = max([y for _, y in points], default=0) * 1.05 or 1
        line = " ".join(f"{across(x):.1f},{top + STRIP - y / most * STRIP:.1f}" for x, y in points)
        out += [f'<rect x="{LEFT}" y="{top}" width="{inner}" height="{STRIP}" fill="none" '
                'stroke="#bbb"/>',
                f'<polyline points="{line}" fill="none" stroke="#1f4e79" stroke-width="1.2"/>',
                f'<text x="{LEFT + 6}" y="{top + 13}">{escape(name)}</text>',
                f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{number(most)}</text>',
                f'<text x="{LEFT - 6}" y="{top + STRIP}" text-anchor="end">0</text>']
    minutes = span / 60
    step = next((each for each in (1, 5, 10, 20, 30, 60) if minutes / each <= 12), 120)
    for minute in range(0, int(minutes) + 1, step):
        out.append(f'<text x="{across(begin + minute * 60):.1f}" y="{bottom + 14}" '
                   f'text-anchor="middle">{minute} min</text>')
    x = LEFT
    for text, fill in (("broker and link", CARRIER), ("endpoint and credentials", ENDPOINT),
                       ("the bridge: killed, reloaded, certificates replaced", BRIDGE)):
        out += [f'<rect x="{x}" y="{bottom + 22}" width="10" height="10" fill="{fill}" '
                'opacity=".5"/>',
                f'<text x="{x + 14}" y="{bottom + 31}">{text}</text>']
        x += 190
    return "\n".join(out + ["</svg>", ""])
