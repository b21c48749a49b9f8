"""What was lost, and what grew.

A reply counts as overdue after 12 s: `limits.deadline` is 8 s, and the rest is for a busy machine. What
is allowed:

- without any reply: what was under way when the broker was killed, which keeps QoS 1 messages in
  memory between two writes of its store, or failed over to one without its sessions; what but an
  update was under way when the bridge was killed, as only updates are in the journal; and as many
  updates as the bridge says that a damaged journal has cost
- late: anything while broker, link or bridge were away; an update during any fault or up to two
  minutes after one, as it is held, and has no deadline: what is demanded of it is that it is answered

Everything else is a fault of the bridge, or of this program.
"""

import statistics

from faults import Faults

ANSWER_LIMIT = 12  # seconds; jobs-load's patience
WAKE = 120  # seconds after a fault in which held updates are worked off
HELD_LIMIT = 90  # how long an update may be under way, so that a broker's death can hit its reply
LOSE_MESSAGES = (Faults.BROKER_KILLED, Faults.BROKER_FAILED_OVER)
KILL_BRIDGE = (Faults.BRIDGE_KILLED, Faults.JOURNAL_DAMAGED)
CARRIERS = {*LOSE_MESSAGES, *KILL_BRIDGE, Faults.BROKER_RESTARTED, "broker paused", "link cut",
            "link silent"}
LEAST_LIFE = 1200  # seconds, less of which tell nothing about growth
GROWTH = 0.05  # of memory, from the first to the last minute that is looked at
GROWTH_MIB = 2


def touched(event, windows):
    """The names of the faults that a request and its reply can have met."""
    limit = HELD_LIMIT if event["operation"] == "update" else ANSWER_LIMIT
    return {name for name, begin, end in windows
            if begin <= event["asked"] + limit and event["asked"] <= end}


def lost_by(event, windows):
    """The fault that may have cost a reply; None: none may."""
    if event["operation"] == "update":
        those = (*LOSE_MESSAGES, Faults.JOURNAL_DAMAGED)
    else:
        those = (*LOSE_MESSAGES, *KILL_BRIDGE)
    met = touched(event, windows)
    return next((fault for fault in those if fault in met), None)


def late_by(event, windows):
    """The fault that may have delayed a reply, the first that it met; None: none may."""
    asked = event["asked"]
    met = [name for name, begin, end in windows
           if begin <= asked + ANSWER_LIMIT and asked <= end]
    if event["operation"] != "update":
        met = [name for name in met if name in CARRIERS]
    elif not met:
        met = [f"in the wake of: {name}" for name, _, end in windows if end < asked <= end + WAKE]
        met.reverse()
    return next(iter(met), None)


def slope(points):
    """Of the least-squares line, per unit of x."""
    if len({x for x, _ in points}) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*points)).slope


def last_life(samples):
    """Those of the bridge's last process, without its first sixth, while it warms up."""
    if not samples:
        return []
    pid = samples[-1]["pid"]
    life = [each for each in samples if each["pid"] == pid]
    begin, end = life[0]["at"], life[-1]["at"]
    return [each for each in life if each["at"] >= begin + (end - begin) / 6]


def growth(samples):
    """Lines about memory, descriptors and threads, and the complaints among them."""
    life = last_life(samples)
    if not life or life[-1]["at"] - life[0]["at"] < LEAST_LIFE:
        return ["too short to say whether anything grows"], []
    lines, complaints = [], []
    hours = (life[-1]["at"] - life[0]["at"]) / 3600
    rss = [each["rss_kib"] / 1024 for each in life]
    per_hour = slope([(each["at"] / 3600, each["rss_kib"] / 1024) for each in life])
    lines.append(f"RSS over {hours:.2f} h of one process: {min(rss):.1f} to {max(rss):.1f} MiB, "
                 f"median {statistics.median(rss):.1f}, line {per_hour:+.2f} MiB/h")
    if per_hour * hours > max(GROWTH * statistics.median(rss), GROWTH_MIB):
        complaints.append("memory grows")
    quarter = len(life) // 4
    for name, tolerance in (("descriptors", 3), ("threads", 1)):
        quiet = [[each[name] for each in part if each["quiet"]]
                 for part in (life[:quarter], life[-quarter:])]
        if not all(quiet):
            lines.append(f"{name}: no quiet moment to compare")
            continue
        first, last = map(statistics.median, quiet)
        lines.append(f"{name} at quiet moments: {first:.0f} in the first quarter, {last:.0f} in the "
                     f"last; at most {max(each[name] for each in life)}")
        if last > first + tolerance:
            complaints.append(f"{name} grow")
    return lines, complaints


def judge(events, windows, samples, not_ready, said_lost):
    """The text of the verdict, and the complaints; none: all is well."""
    lines, complaints = [], []
    figures = [event for event in events if event["event"] == "progress"]
    final = figures[-1] if figures else None
    if final is None:
        return ["jobs-load said nothing"], ["no load"]
    lines.append(f"{final['asked']} requests, {final['answered']} replies, {final['waiting']} "
                 f"without; {final['late']} late, {final['repeated']} repeated, {final['skipped']} "
                 f"not sent while the device had no connection")
    lines.append("rejected: " + (", ".join(f"{code} {count}" for code, count in
                                           sorted(final["rejections"].items())) or "none"))
    for kind, reason_of, what in (("unanswered", lost_by, "without a reply"),
                                  ("late", late_by, "late")):
        reasons = {}
        for event in events:
            if event["event"] == kind:
                key = (reason_of(event, windows), event["operation"])
                reasons.setdefault(key, []).append(event)
        for (reason, operation), those in sorted(reasons.items(), key=str):
            longest = max(event["at"] - event["asked"] for event in those)
            lines.append(f"{what}, {operation}, {reason or 'NO FAULT THAT ALLOWS IT'}: {len(those)}"
                         f", {longest:.0f} s at most")
            if reason is None:
                complaints.append(f"{len(those)} {operation} {what} that no fault explains, first: "
                                  f"{those[0]}, which met {sorted(touched(those[0], windows))}")
    damaged = sum(event["event"] == "unanswered" and event["operation"] == "update" and
                  lost_by(event, windows) == Faults.JOURNAL_DAMAGED for event in events)
    lines.append(f"updates that a damaged journal cost: {damaged}; at most {said_lost}, says the bridge")
    if damaged > said_lost:
        complaints.append(f"a damaged journal cost {damaged} updates, more than the bridge said")
    for name, begin, end in not_ready:
        complaints.append(f"not ready a minute after '{name}' (from {begin:.0f} to {end:.0f})")
    lost = max((each["updates_lost"] for each in samples), default=0)
    lines.append(f"updates that the bridge gave up: {lost}")
    if lost:
        complaints.append(f"the bridge gave up {lost} updates")
    grown, more = growth(samples)
    return lines + grown, complaints + more
