"""`python -m gnet`."""

from gnet.cli import main

raise SystemExit(main())
