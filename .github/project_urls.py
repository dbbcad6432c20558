"""Prints the table of addresses for pyproject.toml: a release is built where its repository is.

python .github/project_urls.py https://github.com/OWNER/NAME >> pyproject.toml
"""

import sys

PAGES = {
    "Homepage": "",
    "Documentation": "/blob/main/docs/index.md",
    "Changelog": "/blob/main/CHANGELOG.md",
    "Issues": "/issues",
}

print("\n[project.urls]")
for name, place in PAGES.items():
    print(f'{name} = "{sys.argv[1]}{place}"')
