"""The image, as far as it can be known without building one: its Dockerfile by BuildKit's own parser and by hadolint, what the
build has to work with, and whether the binaries find what they need in the image they go into."""
import fnmatch
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import dockerfile
import pytest

import operators
import services

ROOT = operators.ROOT
FILE = ROOT / "deploy" / "Dockerfile"
BINARIES = {"firesteel-cli": services.BINARY, "firesteel-operator": operators.BINARY}
# What distroless/cc has, by its page (https://github.com/GoogleContainerTools/distroless/blob/main/cc/README.md).
LIBRARIES = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "libgomp.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1"}


class Stage:
    """What is between one FROM and the next."""

    def __init__(self, base, name):
        self.base, self.name, self.commands = base, name, []

    def values(self, word):
        return [command.value for command in self.commands if command.cmd.upper() == word]

    def copies(self):
        """Where from (a stage, or None for what the build is given), what, and whereto."""
        for command in self.commands:
            if command.cmd.upper() in ("COPY", "ADD"):
                origin = next((flag.partition("=")[2] for flag in command.flags if flag.startswith("--from=")), None)
                yield origin, command.value[:-1], command.value[-1]

    def made(self):
        """Files that its shell commands copy to a folder, by their paths there."""
        found = set()
        for line in self.values("RUN"):
            for words in (shlex.split(part) for part in re.split(r"&&|;", line[0])):
                if words[:1] == ["cp"] and words[-1].endswith("/"):
                    found |= {words[-1] + pathlib.PurePath(word).name for word in words[1:-1]}
        return found


@pytest.fixture(scope="module")
def stages():
    found = []
    for command in dockerfile.parse_file(str(FILE)):
        if command.cmd.upper() == "FROM":
            found.append(Stage(command.value[0], command.value[2] if len(command.value) == 3 else None))
        else:
            found[-1].commands.append(command)
    return found


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """What a build is given: the files of the checkout that .dockerignore does not leave out."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text().split() if not line.startswith("#")]
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split("\0")
    folder = tmp_path_factory.mktemp("context")
    for name in filter(None, files):
        parents = [name, *map(str, pathlib.PurePath(name).parents)]
        if any(fnmatch.fnmatch(path, pattern) for path in parents for pattern in ignored) or not (ROOT / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_it_is_a_dockerfile_that_linters_have_nothing_to_say_about(stages):
    linted = subprocess.run([pathlib.Path(sys.executable).parent / "hadolint", FILE], capture_output=True, text=True)
    assert linted.returncode == 0 and not linted.stdout, linted.stdout + linted.stderr
    assert len(stages) == 2 and stages[0].name


def test_everything_that_is_copied_is_there(stages, context):
    names = {stage.name: stage for stage in stages if stage.name}
    for stage in stages:
        for origin, sources, _ in stage.copies():
            for source in sources:
                if origin is None:
                    assert (context / source).exists(), source
                else:
                    assert source in names[origin].made(), (source, names[origin].made())


def test_the_build_has_what_it_needs(stages, context):
    built = {words[words.index("-p") + 1] for line in stages[0].values("RUN") for part in line[0].split("&&")
             if (words := shlex.split(part))[:2] == ["cargo", "build"]}
    assert built == set(BINARIES)
    # Cargo finds each crate and each of its targets in what the build is given, and the lock fits them. What is not for this
    # machine need not be there.
    host = re.search(r"host: (\S+)", subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout)[1]
    told = subprocess.run(["cargo", "metadata", "--locked", "--offline", "--filter-platform", host, "--format-version", "1"],
                          cwd=context, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    packages = {package["name"]: package for package in json.loads(told.stdout)["packages"] if package["source"] is None}
    for name, binary in BINARIES.items():
        assert binary.name in {target["name"] for target in packages[name]["targets"] if "bin" in target["kind"]}
    # So are the files that the code holds.
    for source in context.glob("*/src/**/*.rs"):
        for name in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source.read_text()):
            assert (source.parent / name).is_file(), (source.relative_to(context), name)


def test_the_binaries_find_their_libraries(stages):
    # A binary wants a glibc no older than the one it was built with, so both are of one Debian.
    debian = {"bookworm": "debian12", "trixie": "debian13"}
    built_on, runs_on = stages[0].base, stages[-1].base
    assert any(built_on.endswith(f"-{name}") and f"/cc-{number}:" in runs_on for name, number in debian.items()), (built_on, runs_on)
    for binary in BINARIES.values():
        needed = set(re.findall(r"^\s*(\S+\.so[.\d]*) =>", subprocess.run(
            ["ldd", binary], check=True, capture_output=True, text=True).stdout, re.MULTILINE))
        assert needed and needed <= LIBRARIES, (binary, needed - LIBRARIES)


def test_it_is_what_its_pods_run(stages):
    last, pods = stages[-1], (ROOT / "operator/src/decide/pods.rs").read_text()
    (_, sources, folder), = last.copies()
    assert {pathlib.PurePath(source).name for source in sources} == {binary.name for binary in BINARIES.values()}
    entry, = (command for command in last.commands if command.cmd.upper() == "ENTRYPOINT")
    # There is no shell in the image.
    assert entry.json and entry.value == (f"{folder}firesteel",)
    assert f"command: [{folder}firesteel-operator]" in (ROOT / "deploy/chart/templates/deployment.yaml").read_text()
    user = re.search(r"IMAGE_USER: i64 = (\d+);", pods)[1]
    assert user != "0" and last.values("USER") == [(f"{user}:{user}",)]
    ports = set(re.findall(r"_PORT: i32 = (\d+);", pods))
    assert len(ports) == 6 and {port for value in last.values("EXPOSE") for port in value} == ports


def test_it_can_be_built_for_every_architecture(stages):
    # Nothing in it is of one of them only.
    text = FILE.read_text()
    assert "--platform linux/amd64,linux/arm64" in text
    for command in (command for stage in stages for command in stage.commands):
        assert not re.search(r"x86_64|amd64|aarch64|arm64", command.original), command.original
    # Nor do the settings of the build ask for instructions that only some machines have.
    for config in (ROOT / ".cargo").glob("*.toml"):
        assert "target-cpu" not in config.read_text(), config
