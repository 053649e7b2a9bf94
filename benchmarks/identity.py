"""What tokens, reads of accounts and sign-ins cost, as ratios to what they cannot be cheaper than. It asserts nothing.

`./manage_all.py bench identity [--rounds 6] [--seconds 1]` needs a running platform and takes three minutes. Within each
round the two sides of a ratio take turns. Tokens and sign-ins are measured in a process with users_service's Django, on the platform's
database and Valkey; reads over gRPC; `me` through the gateway, at rest and while another process signs in at twice the
capacity of hashing. It prints medians and spreads, and writes benchmarks/results/identity.md.
"""

import os
import subprocess
import sys

# With DEBUG, Django keeps every statement in memory.
ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "users_service.config.settings", "DEBUG": "false"}

if __name__ == "__main__":
    command = [sys.executable, "-m", "benchmarks._in_django", "_identity_figures", *sys.argv[1:]]
    sys.exit(subprocess.run(command, env={**os.environ, **ENVIRONMENT}, check=False).returncode)
