"""What the load client measured, as lines for a terminal."""

from typing import Any


def soak_table(result: dict[str, Any]) -> str:
    """What the server held at the start and end of a long while."""
    start, end = result["start"], result["end"]
    (files, threads), (files_now, threads_now) = (one["files_and_threads"] for one in (start, end))
    return (
        f"{result['rounds']} rounds in {result['minutes']:g} min, {result['answers']} answers; "
        f"wrong: {result['wrong'] or 'none'}\n"
        f"memory {start['megabytes']:.0f} MB after the first round, {end['megabytes']:.0f} at the "
        f"end, {result['most']:.0f} at most; files {files} and {files_now}, threads {threads} and "
        f"{threads_now}"
    )


def table(result: dict[str, Any]) -> str:
    """The times of one viewer beside those of many, and what else was seen."""
    lines = [f"{'seconds':<10}{'alone':>8}{'median':>9}{'p95':>8}{'longest':>9}{'answers':>9}"]
    for action, row in result["together"].items():
        alone = result["alone"].get(action)
        lines.append(
            f"{action:<10}{alone['median'] if alone else 0:8.3f}{row['median']:9.3f}"
            f"{row['p95']:8.3f}{row['longest']:9.3f}{row['count']:9.0f}"
        )
    memory, (files, threads) = result["megabytes"], result["files_and_threads"]
    return "\n".join(
        [
            *lines,
            f"{result['viewers']} viewers at once, {result['clicks']} clicks each: p95 is "
            f"{result['ratio']:.1f} times the median of one alone, for a photo "
            f"{result['photo_ratio']:.1f} times, for a click {result['click_ratio']:.1f} times",
            f"{result['per_second']:.1f} answers/s; the server used "
            f"{1000 * result['processor_seconds']:.0f} ms of a core for each",
            f"memory {memory['before']:.0f} MB before, {memory['after']:.0f} after, "
            f"{memory['later']:.0f} later; {files} files, {threads} threads",
            f"wrong: {result['wrong'] or 'none'}; a crowd: {result['crowd'] or 'not tried'}",
            *result["details"],
        ]
    )
