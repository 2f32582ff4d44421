"""`python -m gnet`."""

from gnet.commands.main import main

raise SystemExit(main())
