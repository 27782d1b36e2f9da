//! A GET of another server, by hyper's pooled client.

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

pub(super) struct Upstream {
    client: Client<HttpConnector, Empty<Bytes>>,
    uri: Uri,
}

impl Upstream {
    pub(super) fn open(url: &str) -> Result<Upstream> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Upstream { client, uri: url.parse()? })
    }

    pub(super) async fn get(&self) -> Result<Bytes> {
        let response = self.client.get(self.uri.clone()).await?;
        ensure!(response.status() == 200, "the other server answers {}", response.status());
        Ok(response.into_body().collect().await?.to_bytes())
    }
}
