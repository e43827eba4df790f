//! Metrics by name: those that live on, and numbers that were looked up for one scrape.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Names and values of labels.
pub(super) type LabelSet = Vec<(&'static str, String)>;
/// A number that goes up and down.
type Number = Gauge<f64, AtomicU64>;

/// The metrics of one answer. Names get the prefix `sekali_` and the unit as suffix, counters also
/// `_total`; help texts get a full stop.
pub(super) struct Sheet {
    registry: Registry,
}

impl Sheet {
    pub(super) fn new() -> Self {
        Self { registry: Registry::default() }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    fn own(&mut self) -> &mut Registry {
        self.registry.sub_registry_with_prefix("sekali")
    }

    /// A fact in words, as labels of the number 1.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: LabelSet) {
        self.own().register(name, help, Info::new(labels));
    }

    /// A number.
    pub(super) fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) {
        let gauge = Number::default();
        gauge.set(value);
        match unit {
            Some(unit) => self.own().register_with_unit(name, help, unit, gauge),
            None => self.own().register(name, help, gauge),
        }
    }

    /// A number for each value of some labels.
    pub(super) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: impl IntoIterator<Item = (LabelSet, f64)>,
    ) {
        let family = Family::<LabelSet, Number>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        match unit {
            Some(unit) => self.own().register_with_unit(name, help, unit, family),
            None => self.own().register(name, help, family),
        }
    }

    /// A number that only grows, for each value of some labels; no labels are one value.
    pub(super) fn counters(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: impl IntoIterator<Item = (LabelSet, u64)>,
    ) {
        let family = Family::<LabelSet, Counter>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).inc_by(value);
        }
        match unit {
            Some(unit) => self.own().register_with_unit(name, help, unit, family),
            None => self.own().register(name, help, family),
        }
    }

    /// A family of counters that lives on.
    pub(super) fn counter_family(&mut self, name: &str, help: &str, family: &Family<LabelSet, Counter>) {
        self.own().register(name, help, family.clone());
    }

    /// A family of histograms of seconds that lives on.
    pub(super) fn histogram_family(&mut self, name: &str, help: &str, family: &HistogramFamily) {
        self.own().register_with_unit(name, help, Unit::Seconds, family.clone());
    }

    /// A histogram that lives on.
    pub(super) fn histogram(&mut self, name: &str, help: &str, unit: Option<Unit>, histogram: &Histogram) {
        match unit {
            Some(unit) => self.own().register_with_unit(name, help, unit, histogram.clone()),
            None => self.own().register(name, help, histogram.clone()),
        }
    }

    /// A number of the process, under the name that is the same for all programs.
    pub(super) fn process_gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) {
        let gauge = Number::default();
        gauge.set(value);
        let registry = self.registry.sub_registry_with_prefix("process");
        match unit {
            Some(unit) => registry.register_with_unit(name, help, unit, gauge),
            None => registry.register(name, help, gauge),
        }
    }

    /// Seconds of the process that only grow.
    pub(super) fn process_seconds(&mut self, name: &str, help: &str, value: f64) {
        let counter = Counter::<f64, AtomicU64>::default();
        counter.inc_by(value);
        self.registry.sub_registry_with_prefix("process").register_with_unit(name, help, Unit::Seconds, counter);
    }
}

/// Histograms by labels.
pub(super) type HistogramFamily = Family<LabelSet, Histogram, fn() -> Histogram>;

/// The label of a partition.
pub(super) fn partition(number: usize) -> LabelSet {
    vec![("partition", number.to_string())]
}
