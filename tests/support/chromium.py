"""Where the browser tests find a Chromium; run as a script, it installs one if there is none.

The order: the variable CHROMIUM, a browser of the system, the one playwright keeps. Chromium's
headless shell is preferred: it has no windows and needs the least time. On Debian and its kin root
gets the system's package, everybody else playwright's own build.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("chromium-headless-shell", "chromium")
NAMES = (*PACKAGES, "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
MISSING = (
    "no Chromium was found; install Chromium or Google Chrome, "
    "or set CHROMIUM to the path of its program"
)


def find_chromium() -> str | None:
    """The path of a Chromium that starts, or None."""
    if wanted := os.environ.get("CHROMIUM"):
        return wanted if _starts(wanted) else None
    candidates = [path for name in NAMES if (path := shutil.which(name))]
    candidates += [path for path in MAC_APPS if Path(path).is_file()]
    for path in candidates:
        if _starts(path):
            return path
    path = _playwrights_own()
    return path if path and _starts(path) else None


def in_ci() -> bool:
    """Whether a missing browser is a failure and not a reason to skip."""
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


def _starts(path: str) -> bool:
    # Some systems ship a stub of that name which only tells where to get the browser.
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and b"Chrom" in answer.stdout


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def _install() -> None:
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", "fonts-liberation"]
        for command in (["apt-get", "update"], *([*install, package] for package in PACKAGES)):
            subprocess.run(command, env=environment, stdin=subprocess.DEVNULL)
            if find_chromium():
                return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])


def main() -> int:
    """Install a Chromium if none is found; 1 if there is still none and CI asks for one."""
    path = find_chromium()
    if path is None:
        _install()
        path = find_chromium()
    if path is None:
        print(f"{MISSING}{'' if in_ci() else '; the browser tests are skipped'}.", file=sys.stderr)
        return int(in_ci())
    print(f"Browser tests use {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
