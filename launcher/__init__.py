"""What manage_all.py runs: the infrastructure, the processes, and the commands of the platform."""
