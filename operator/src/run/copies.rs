//! One watch a kind, for all that need it: a copy of the kind's objects, and word of each change once the copy has it.
//!
//! Controllers with watches of their own would have the API server send every change to each of them, and keep a copy each.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::future::{BoxFuture, FutureExt};
use futures::{StreamExt, future};
use kube::Resource;
use kube::api::Api;
use kube::runtime::reflector::{self, Store, store::Writer};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

/// The objects of a kind.
pub(super) struct Copy<K>
where
    K: Resource + Clone + 'static,
    K::DynamicType: Eq + Hash + Clone,
{
    api: Api<K>,
    config: watcher::Config,
    reader: Store<K>,
    writer: Writer<K>,
    listeners: Vec<UnboundedSender<Arc<K>>>,
}

impl<K> Copy<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    /// Those an API and a selection give.
    pub(super) fn of(api: Api<K>, config: watcher::Config) -> Self {
        let (reader, writer) = reflector::store();
        Self { api, config, reader, writer, listeners: Vec::new() }
    }

    /// The copy.
    pub(super) fn store(&self) -> Store<K> {
        self.reader.clone()
    }

    /// Objects that were made, changed or deleted, and all of them after a watch began anew.
    pub(super) fn changes(&mut self) -> UnboundedReceiver<Arc<K>> {
        let (listener, changes) = mpsc::unbounded();
        self.listeners.push(listener);
        changes
    }

    /// Keeps the copy up to date for ever; `complete` counts those that are whole.
    ///
    /// Not `Store::wait_until_ready`: it wakes only the last of those that wait, and a controller is one of them.
    pub(super) fn keep(self, complete: watch::Sender<usize>) -> BoxFuture<'static, ()> {
        let Self { api, config, reader, writer, listeners } = self;
        let tell = move |object: Arc<K>| {
            for listener in &listeners {
                // Nobody listens any more when the process ends.
                let _gone = listener.unbounded_send(Arc::clone(&object));
            }
        };
        let mut whole = false;
        watcher(api, config)
            .default_backoff()
            // Who wrote which field is of no use here, and larger than the rest of a small object.
            .modify(|object| object.meta_mut().managed_fields = None)
            .reflect(writer)
            .for_each(move |event| {
                match event {
                    Ok(Event::InitDone) => {
                        if !whole {
                            whole = true;
                            complete.send_modify(|count| *count += 1);
                        }
                        reader.state().into_iter().for_each(&tell);
                    }
                    Ok(Event::Apply(object) | Event::Delete(object)) => tell(Arc::new(object)),
                    Ok(Event::Init | Event::InitApply(_)) => {}
                    Err(error) => {
                        tracing::warn!(%error, kind = %K::kind(&K::DynamicType::default()), "a watch was interrupted")
                    }
                }
                future::ready(())
            })
            .boxed()
    }
}
