"""`python -m buildspecs.lake.synth.lay`: puts datasets of sources of their own where they are linked to.

CodeBuild has further sources beside the first one, and the pipeline's build links them into it. Neither gates nor
digests follow links to folders.
"""

from __future__ import annotations

import shutil

from config.loader import CONFIG_DIR
from config.models.lake_datasets import FOLDER


def main() -> None:
    """Put a copy into the place of each link."""
    for link in sorted((CONFIG_DIR / FOLDER).glob("*")):
        if link.is_symlink() and link.is_dir():
            source = link.resolve()
            link.unlink()
            shutil.copytree(source, link)


if __name__ == "__main__":
    main()
