// Mute windows: when alarms change and tell nobody, as the configuration has it. Alarms go on being judged meanwhile.
// It does not know what makes a window wrong: awsFaults of functions/config says so.
import { Duration } from "aws-cdk-lib";
import { CfnAlarmMuteRule } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { chunksOf } from "../../functions/report/metrics.ts";

type Mute = Config["aws"]["mutes"][number];

/**
 * Rules for what pages. Alarms are named, not referred to: a rule outlives an alarm that is replaced, and one construct
 * depends on the other no more than CloudWatch does.
 */
export class Mutes extends Construct {
  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    for (const mute of config.aws.mutes) {
      for (const [index, alarmNames] of chunksOf(mutedBy(mute, config), alarmsPerRule).entries()) {
        const name = index === 0 ? mute.name : `${mute.name}_${index + 1}`;
        new CfnAlarmMuteRule(this, name, {
          name: `${config.name}-${name}`,
          description: `${aboutKinds(mute)}, for ${mute.minutes} minutes`,
          rule: { schedule: scheduleOf(mute) },
          muteTargets: { alarmNames: [...alarmNames] },
        });
      }
    }
  }
}

/** The names of the alarms that a window keeps quiet: those that page, for the others tell nobody anyway. */
function mutedBy({ kinds }: Mute, config: Config): readonly string[] {
  const paging = alarmsOf(config).filter(({ pages }) => pages);
  return paging.filter(({ kind }) => kinds?.includes(kind) ?? true).map(({ name }) => name);
}

/** PutAlarmMuteRule's own limit: alarms that one rule names. */
const alarmsPerRule = 100;

function scheduleOf({ schedule, minutes, timezone }: Mute): CfnAlarmMuteRule.ScheduleProperty {
  return { expression: schedule, duration: Duration.minutes(minutes).toIsoString(), timezone };
}

function aboutKinds({ kinds }: Mute): string {
  return kinds === null ? "all that pages" : kinds.join(", ");
}
