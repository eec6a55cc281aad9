"""Networks for tests of what happens to any network; importing this makes them known to training by name.

Training looks for networks in the folder of training.networks, so this folder is put beside it.
"""

from pathlib import Path

from training import networks

TINY = "tiny"

if TINY not in networks.NAMES:
    networks.__path__.append(str(Path(__file__).parent))
    networks.NAMES = (*networks.NAMES, TINY)
