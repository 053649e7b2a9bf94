"""The parts of every service's settings: one module for each concern, of functions that read the environment and return a value.

A service's `config/settings` puts them together. A missing or malformed variable ends the process with one line that names it.

Reading settings also makes `zoneinfo` use the pinned `tzdata` package only. By default the system's data come first, and on an
old system some zones are an hour off.
"""

import zoneinfo

zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()
