import pytest

from keras_vit.errors import InputError
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.records import ImpossibleSearch


@pytest.fixture
def folder(tmp_path):
    return SearchFolder(tmp_path / "new" / "search")


@pytest.mark.parametrize("file", ["journal", "joined"])
def test_nothing_remains_of_a_search_that_does_not_start(folder, tmp_path, file):
    with pytest.raises(InputError, match="no data"), folder.locked(getattr(folder, file)):
        folder.log.touch()
        folder.data.mkdir()
        (folder.data / "trial.log").touch()
        raise InputError("no data")
    assert not any(tmp_path.iterdir())


def test_a_search_that_started_stays_after_any_error(folder):
    with pytest.raises(InputError, match="no trial"), folder.locked():
        Journal(folder.journal).append({"event": "search"})
        folder.log.touch()
        raise InputError("no trial")
    assert folder.journal.stat().st_size
    assert folder.log.exists()


def test_a_second_search_is_refused_and_leaves_the_first_alone(folder):
    with folder.locked():
        with pytest.raises(InputError, match="Another search is running"), folder.locked():
            pass
        assert folder.journal.exists()


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    place = tmp_path / ("x" * 300)
    with pytest.raises(InputError, match="cannot be created"), SearchFolder(place).locked():
        pass


def test_files_of_others_stay_when_the_search_does_not_start(folder):
    folder.data.mkdir(parents=True)
    (folder.data / "mine.csv").write_text("all my work")
    with pytest.raises(InputError, match="no data"), folder.locked():
        raise InputError("no data")
    assert (folder.data / "mine.csv").read_text() == "all my work"


def test_nothing_remains_of_a_search_that_cannot_have_results(folder, tmp_path):
    with pytest.raises(ImpossibleSearch, match="not logged"), folder.locked():
        Journal(folder.journal).append({"event": "search"})
        folder.trial("0000").mkdir(parents=True)
        folder.results.touch()
        raise ImpossibleSearch("not logged")
    assert not any(tmp_path.iterdir())
