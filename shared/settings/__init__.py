"""The parts of every service's settings. Each module has functions that read the environment and return a value.

`base` puts the common ones together, and a service's `config/settings.py` adds its own. A missing or malformed variable
ends the process with one line that names it.

Reading settings also makes `zoneinfo` use the pinned `tzdata` package only. By default the system's data come first,
and on an old system some zones are an hour off.
"""

import zoneinfo

zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()
