//! Options for ports of their own, under which other people's clients expect a protocol.

use clap::Args;

use super::listen::address;
use sekali_server::server::Port;

/// Ports of protocols.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ports of other people's protocols, which the main port serves too")]
pub(crate) struct PortArgs {
    /// Serve Elasticsearch's bulk API on a port of its own; without an address 127.0.0.1:9200
    #[arg(long, env = "SEKALI_ELASTICSEARCH", value_name = "HOST:PORT", num_args = 0..=1)]
    #[arg(default_missing_value = "127.0.0.1:9200", value_parser = at::<9200>)]
    elasticsearch: Option<String>,
    /// OpenTelemetry's OTLP over HTTP; without an address 127.0.0.1:4318
    #[arg(long, env = "SEKALI_OTLP", value_name = "HOST:PORT", num_args = 0..=1)]
    #[arg(default_missing_value = "127.0.0.1:4318", value_parser = at::<4318>)]
    otlp: Option<String>,
    /// The same over gRPC; without an address 127.0.0.1:4317
    #[arg(long, env = "SEKALI_OTLP_GRPC", value_name = "HOST:PORT", num_args = 0..=1)]
    #[arg(default_missing_value = "127.0.0.1:4317", value_parser = at::<4317>)]
    otlp_grpc: Option<String>,
    /// Loki's push; without an address 127.0.0.1:3100
    #[arg(long, env = "SEKALI_LOKI", value_name = "HOST:PORT", num_args = 0..=1)]
    #[arg(default_missing_value = "127.0.0.1:3100", value_parser = at::<3100>)]
    loki: Option<String>,
    /// Splunk's HTTP Event Collector; without an address 127.0.0.1:8088
    #[arg(long, env = "SEKALI_HEC", value_name = "HOST:PORT", num_args = 0..=1)]
    #[arg(default_missing_value = "127.0.0.1:8088", value_parser = at::<8088>)]
    hec: Option<String>,
}

impl PortArgs {
    /// Those that were asked for, each with its address.
    pub(crate) fn ports(&self) -> Vec<(Port, String)> {
        let asked = |port: Port| match port {
            Port::Elasticsearch => &self.elasticsearch,
            Port::Otlp => &self.otlp,
            Port::OtlpGrpc => &self.otlp_grpc,
            Port::Loki => &self.loki,
            Port::Hec => &self.hec,
        };
        Port::ALL.into_iter().filter_map(|port| Some((port, asked(port).clone()?))).collect()
    }
}

/// An address whose port is this one unless it names another.
fn at<const PORT: u16>(text: &str) -> Result<String, String> {
    address(text, PORT)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        ports: PortArgs,
    }

    #[test]
    fn a_port_is_served_only_when_it_is_asked_for_and_usually_at_its_own_number() {
        let parsed = |line: &[&str]| Line::try_parse_from([&["sekali"][..], line].concat()).unwrap().ports.ports();
        assert!(parsed(&[]).is_empty());
        for port in Port::ALL {
            let option = format!("--{}", port.name());
            assert_eq!(parsed(&[option.as_str()]), [(port, format!("127.0.0.1:{}", port.usual()))]);
            assert_eq!(parsed(&[option.as_str(), "0.0.0.0"]), [(port, format!("0.0.0.0:{}", port.usual()))]);
            assert_eq!(parsed(&[option.as_str(), ":81"]), [(port, "0.0.0.0:81".to_owned())]);
        }
        let both = parsed(&["--loki", "--otlp", "4000"]);
        assert_eq!(both, [(Port::Otlp, "127.0.0.1:4000".to_owned()), (Port::Loki, "127.0.0.1:3100".to_owned())]);
    }
}
