// The way out of a vpc egress: one private subnet, one NAT gateway, one Elastic IP, so that providers see one address. What
// leaves by it, and whether AWS opens port 25, it does not know: infra/aws/README.md has that request and the PTR record.
import { CfnOutput } from "aws-cdk-lib";
import {
  GatewayVpcEndpointAwsService,
  IpAddresses,
  NatProvider,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
  type SubnetSelection,
} from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { accept } from "./accepted.ts";

export class Network extends Construct {
  readonly vpc: Vpc;
  readonly securityGroup: SecurityGroup;
  readonly subnets: SubnetSelection = { subnetType: SubnetType.PRIVATE_WITH_EGRESS };

  /** @param allocation an Elastic IP that is there already, `eipalloc-…`, whose PTR record can be right before; null: a new one */
  constructor(scope: Construct, id: string, config: Config, allocation: string | null) {
    super(scope, id);
    this.vpc = new Vpc(this, "Vpc", {
      vpcName: config.name,
      ipAddresses: IpAddresses.cidr(config.aws.vpcCidr),
      // A second zone would be a second NAT gateway: another address, with another reputation.
      maxAzs: 1,
      natGateways: 1,
      natGatewayProvider: NatProvider.gateway(allocation === null ? {} : { eipAllocationIds: [allocation] }),
      // It would be a function of CDK's, with rights over every security group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: "Public", subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
        { name: "Functions", subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      ],
      // The table's traffic, and that of messages which lie in S3, need not pay for the NAT.
      gatewayEndpoints: {
        Table: { service: GatewayVpcEndpointAwsService.DYNAMODB },
        ...(config.sends === null ? {} : { Objects: { service: GatewayVpcEndpointAwsService.S3 } }),
      },
    });
    this.securityGroup = new SecurityGroup(this, "Out", {
      vpc: this.vpc,
      description: "What the probes may reach: mail hosts, AWS, policies, proxies",
      allowAllOutbound: false,
    });
    for (const port of portsOf(config)) this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(port));
    if (config.resolver !== null) this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.udp(dnsPort(config.resolver)));
    accept(this.vpc, [
      {
        id: "AwsSolutions::AwsSolutions-VPC7",
        reason:
          "Nothing listens in this VPC and nothing comes in; every session is in the log with its dialog, which says more than a flow.",
      },
    ]);
    if (allocation === null) outputAddress(this);
  }
}

/** SMTP, HTTPS of AWS and of TLS policies, and what the configuration adds: proxies, a DNS server, other ports of hosts. */
function portsOf({ egresses, requests, resolver }: Config): readonly number[] {
  const proxies = egresses.flatMap(({ runner, via }) => (runner === "functions" && "port" in via ? [via.port] : []));
  const hosts = requests.ports === "any" ? [] : requests.ports;
  const dns = resolver === null ? [] : [dnsPort(resolver)];
  return [...new Set([25, 443, ...hosts, ...proxies, ...dns])].toSorted((a, b) => a - b);
}

function dnsPort(resolver: string): number {
  const [, port] = /^(?:\[.*\]|[\d.]+):(\d+)$/.exec(resolver) ?? [];
  return port === undefined ? 53 : Number(port);
}

function outputAddress({ vpc }: Network): void {
  for (const { node } of vpc.publicSubnets) {
    const eip = node.tryFindChild("EIP");
    if (eip !== undefined && "ref" in eip && typeof eip.ref === "string") {
      new CfnOutput(vpc, "Address", {
        value: eip.ref,
        description: "What providers see: its PTR record, and address in the configuration",
      });
    }
  }
}
