"""`python -m llmdash.cli`."""

import sys

from llmdash.cli import main

sys.exit(main())
