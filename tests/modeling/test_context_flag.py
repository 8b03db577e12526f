import threading

import pytest

from bert.modeling.context_flag import ContextFlag


def test_it_holds_within_its_block_and_ends_with_it():
    flag = ContextFlag("test")
    found = [flag.is_on()]
    with flag.set():
        found.append(flag.is_on())
        with flag.set(False):
            found.append(flag.is_on())
        found.append(flag.is_on())
    found.append(flag.is_on())
    assert found == [False, True, False, True, False]


def test_an_error_ends_it_too():
    flag = ContextFlag("test")
    with pytest.raises(KeyError), flag.set():
        raise KeyError
    assert not flag.is_on()


def test_other_threads_do_not_see_it():
    flag, found = ContextFlag("test"), []
    with flag.set():
        thread = threading.Thread(target=lambda: found.append(flag.is_on()))
        thread.start()
        thread.join()
    assert found == [False]
