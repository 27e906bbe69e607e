"""How pytest-xdist distributes the test modules to its workers."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

BROWSER_TESTS = "tests/browser/"
BROWSER_WORKERS = 3


class BrowserTestsOnSomeWorkers(LoadFileScheduling):
    """Distribute the modules of browser tests to the first workers, and the others to the rest, while there are any.

    Browser tests wait much and the others hardly, so that together they use all cores. Each worker with browser tests
    starts a browser and two portals, which takes 8 s of CPU.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        wants_browser = node in self.nodes[:BROWSER_WORKERS]
        fitting = (module for module in self.workqueue if module.startswith(BROWSER_TESTS) == wants_browser)
        if module := next(fitting, None):
            self.workqueue.move_to_end(module, last=False)
        super()._assign_work_unit(node)
