"""What networks a server offers: the one served first, the published one, its visitors' files."""

from __future__ import annotations

from pathlib import Path

from gnet.serving.networks.own import OwnNetworks
from gnet.serving.networks.published import PublishedWeights

BUNDLED, PUBLISHED = "everyday", "imagenet"


class NetworkOffers:
    """The offers of one server; runs are offered by their shelf."""

    def __init__(
        self,
        *,
        served: str = BUNDLED,
        published: PublishedWeights | None = None,
        own: OwnNetworks | None = None,
    ) -> None:
        """`served` names the network that is served first, as `--weights` does."""
        self.served = served
        self.published = published or PublishedWeights()
        self.own = own or OwnNetworks(None)

    @classmethod
    def of_server(cls, served: str, uploads: Path | None, *, downloads: bool) -> NetworkOffers:
        """Those of a server whose visitors' files go to `uploads`."""
        return cls(
            served=served,
            published=PublishedWeights(allowed=downloads),
            own=OwnNetworks(uploads),
        )
