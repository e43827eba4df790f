"""Client of Sekali, the log and event aggregator that stores every event exactly once.

- :class:`Publisher` and :class:`AsyncPublisher` send events in the background, in batches, and
  again until they are stored.
- :class:`Client` and :class:`AsyncClient` publish single batches, and read.
- :class:`sekali.logging.SekaliHandler` sends the records of :mod:`logging`.
"""

from ._client import AsyncClient, Client
from ._errors import BufferFull, InvalidEvent, NotPublished, Refused, SekaliError, Unavailable
from ._event import Batch, Event, Published, RefusedEvent
from ._publisher import AsyncPublisher, Publisher, PublisherStats

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncPublisher",
    "Batch",
    "BufferFull",
    "Client",
    "Event",
    "InvalidEvent",
    "NotPublished",
    "Published",
    "Publisher",
    "PublisherStats",
    "Refused",
    "RefusedEvent",
    "SekaliError",
    "Unavailable",
    "__version__",
]
