#!/usr/bin/env python
"""Django's command line for the hub."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "privatechathub.settings")
    from django.core.management import execute_from_command_line

    from privatechathub.values import BadValue

    try:
        execute_from_command_line(sys.argv)
    except BadValue as error:
        sys.exit(f"{error}")
