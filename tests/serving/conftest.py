"""An application of a toy model."""

import pytest


@pytest.fixture
def toy():
    """The model."""
    from tests.serving.http_toys import Model

    made = Model()
    yield made
    made.may_go.set()
    made.batches.close()


@pytest.fixture
def access_log(capsys):
    """Returns what was logged of requests."""
    return lambda: capsys.readouterr().err


@pytest.fixture
def make_app(toy):
    """Makes a service and its application; needs the extra `serve`."""
    from bert.serving.http_app import Service
    from bert.serving.http_metrics import Metrics
    from tests.serving.http_toys import Config

    def make(**changes):
        config = Config(**changes)
        service = Service(config, {"m": toy}, Metrics(["m"], 1))
        return service, service.app()

    return make
