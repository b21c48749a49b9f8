"""What was measured, for a person."""

import statistics

STEADY_RATE = 1000  # requests a second
KEEPS_UP = 0.97     # of them; who answers fewer falls further behind the longer it lasts

COLUMNS = [
    ("200 in flight: us CPU/request", "busy cpu", "{:.0f}"),
    ("requests/s", "busy rate", "{:.0f}"),
    (f"{STEADY_RATE:,}/s offered: us CPU/request", "steady cpu", "{:.0f}"),
    ("p50 ms", "steady p50", "{:.2f}"),
    ("p99 ms", "steady p99", "{:.2f}"),
    ("one in flight: p50 ms", "single p50", "{:.2f}"),
    ("peak RSS MB", "rss", "{:.0f}"),
    ("threads", "threads", "{:.0f}"),
    ("100 ms endpoint, 1,000 devices, 1,024 connections: requests/s", "slow rate", "{:.0f}"),
    ("us CPU/request", "slow cpu", "{:.0f}"),
    ("peak RSS MB", "slow rss", "{:.0f}"),
    ("3,000 in flight, broker with default limits: requests/s", "burst rate", "{:.0f}"),
]
RATIOS = [
    ("CPU busy", "busy cpu"), ("requests/s", "busy rate"), ("CPU at 1,000/s", "steady cpu"),
    ("p50 at 1,000/s", "steady p50"), ("single p50", "single p50"),
    ("slow requests/s", "slow rate"), ("slow CPU", "slow cpu"), ("burst requests/s", "burst rate"),
    ("peak RSS", "rss"),
]


def keeps_up(subject):
    rate = subject.median("steady rate")
    return rate is None or rate >= KEEPS_UP * STEADY_RATE


def cell(subject, figure, form):
    value = subject.median(figure)
    if value is None:
        return "-"
    if figure.startswith("steady ") and not keeps_up(subject):
        # CPU and latencies of one that falls behind depend on how long it was watched.
        behind = f"falls behind: {subject.median('steady rate'):.0f}/s"
        return behind if figure == "steady cpu" else "-"
    return form.format(value)


def lost(subject):
    return sum(sum(values) for figure, values in subject.figures.items()
               if figure.endswith(" lost"))


def table(subjects):
    shown = [column for column in COLUMNS if subjects[0].median(column[1]) is not None]
    rows = [["bridge"] + [title for title, _, _ in shown] + ["lost or rejected"]]
    rows.append(["---"] * len(rows[0]))
    for subject in subjects:
        rows.append([subject.title] + [cell(subject, figure, form) for _, figure, form in shown]
                    + [f"{lost(subject):.0f}"])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def ratio(ours, other, figure):
    """The median of the rounds' ratios and, if there are more, the least and the largest."""
    mine, theirs = ours.figures.get(figure), other.figures.get(figure)
    if not mine or not theirs or not all(theirs):
        return None
    if figure.startswith("steady ") and not (keeps_up(ours) and keeps_up(other)):
        return None
    ratios = [a / b for a, b in zip(mine, theirs)]
    text = f"{statistics.median(ratios):.2f}"
    return text if len(ratios) == 1 else f"{text} ({min(ratios):.2f} to {max(ratios):.2f})"


def ratios(subjects):
    """A line for each other bridge: ours divided by it."""
    ours = subjects[0]
    lines = []
    for other in subjects[1:]:
        parts = [f"{title} {text}" for title, figure in RATIOS
                 if (text := ratio(ours, other, figure)) is not None]
        lines.append(f"{ours.title} / {other.title}: " + ", ".join(parts))
    return "\n".join(lines)


def conditions(strangers):
    """What others took of the machine: no figure is better than the quiet that it was taken in."""
    if not strangers:
        return ""
    return (f"Other processes, and other guests of the host, took "
            f"{statistics.median(strangers):.0%} of the processors while a load ran (median; at "
            f"most {max(strangers):.0%}).")
