"""Starts the page: python app.py --help; what it does is in gnet/app.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

if __name__ == "__main__":
    from gnet.app import main

    sys.exit(main())
