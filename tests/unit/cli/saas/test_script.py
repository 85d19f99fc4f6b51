"""The script that `make setup` puts into the virtual environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cli


def test_it_finds_its_checkout_from_anywhere(tmp_path: Path) -> None:
    """Given a directory with modules of the same name, the checkout's are run, with the words as they were given."""
    root, elsewhere = tmp_path / "check out", tmp_path / "elsewhere"
    for place, said in ((root, "ours"), (elsewhere, "theirs")):
        (place / "cli").mkdir(parents=True)
        (place / "cli" / "__init__.py").touch()
        (place / "cli" / "__main__.py").write_text(f"import sys; print({said!r}, sys.argv[1:])")
    binaries = root / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    script = binaries / "granary"
    shutil.copy(Path(cli.__file__).with_name("granary.sh"), script)
    script.chmod(0o755)
    words = ["status", "a b", "$HOME"]
    result = subprocess.run([script, *words], cwd=elsewhere, capture_output=True, text=True, check=True)
    assert result.stdout == f"ours {words}\n"
