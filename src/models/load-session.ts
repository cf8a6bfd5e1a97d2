import { type Calibration, checkCalibration, openCalibration } from '../checkpoint/calibration.js';
import { quote, quotePath } from '../checkpoint/describe.js';
import type { TensorInfo } from '../checkpoint/safetensors/safetensors.js';
import { CALIBRATION_KEY, isCoded } from '../checkpoint/weights/row-scales.js';
import { unexpected } from '../expected.js';
import type { ModelDirectory } from './model-directory.js';
import { findDevice, type DeviceOption, type DeviceReport } from '../runtime/options/device.js';
import { choosePrecision, isInteger, type PrecisionOption, type PrecisionReport } from '../runtime/options/precision.js';
import { Session } from '../runtime/session.js';
import { weightCacheDirectory, type WeightCacheOption } from '../runtime/options/weight-cache.js';
import { lackingOnCuda } from './program/cuda-kernels.js';
import { toNativeProgram } from './program/native-program.js';
import { type Program, widestHead } from './program/program.js';
import { smoothableLinears, withInputScales, withStoredInputScales } from './program/smoothing.js';

interface SessionSettings {
  readonly threads?: number | undefined;
  readonly precision?: PrecisionOption | undefined;
  readonly device?: DeviceOption | undefined;
  readonly weightCache?: WeightCacheOption | undefined;
}

/** A session, and what was chosen for it. */
export interface LoadedSession {
  readonly session: Session;
  readonly precision: PrecisionReport;
  readonly device: DeviceReport;
}

/**
 * Loads a program in the precision asked for, with the directory's calibration where the precision uses it, and reports what was chosen.
 *
 * Errors: PRECISION, DEVICE, CALIBRATION, those of `Session.load`, and IO when a file has changed meanwhile.
 */
export async function loadSession(
  directory: ModelDirectory,
  program: Program,
  { threads, precision: asked, device: askedDevice = 'cpu', weightCache }: SessionSettings,
): Promise<LoadedSession> {
  const mayScale = asked === 'auto' || (asked !== undefined && isInteger(asked));
  const calibration = mayScale && storedInIntegers(program).length === 0 ? await openCalibration(directory.path) : undefined;
  try {
    const { device, precision } = await chooseBackend(program, { precision: asked, device: askedDevice }, calibration);
    const used = isInteger(precision.chosen) ? calibration : undefined;
    const cache = weightCacheDirectory(weightCache);
    const scaled = used === undefined ? await withStoredInputScales(program) : smoothed(program, used);
    const session = await Session.load(toNativeProgram(scaled), {
      ...(threads === undefined ? {} : { threads }),
      precision: precision.chosen,
      device: device.chosen,
      weightCache: cache === undefined ? undefined : { directory: cache, model: directory.path },
    });
    try {
      await directory.verifyUnchanged();
      await used?.verifyUnchanged();
    } catch (error) {
      session.dispose();
      throw error;
    }
    return { session, precision, device };
  } finally {
    await calibration?.close();
  }
}

/** Where a program computes, and in what. Errors: PRECISION, ADDON_LOAD; a device asked for by name is loading's to refuse. */
export async function chooseBackend(
  program: Program,
  settings: Pick<SessionSettings, 'precision' | 'device'>,
  calibration?: Calibration,
): Promise<Omit<LoadedSession, 'session'>> {
  const integers = storedInIntegers(program);
  if (integers.length > 0) return chooseForIntegers(integers, settings);
  const { precision: asked = 'fp32', device: askedDevice = 'cpu' } = settings;
  const lacking = askedDevice === 'auto' ? lackingOnCuda(program) : undefined;
  const device: DeviceReport =
    lacking === undefined
      ? await findDevice(askedDevice, asked, widestHead(program))
      : { asked: 'auto', chosen: 'cpu', reason: `CUDA has no kernel yet for ${lacking}` };
  const precision =
    device.chosen === 'cpu' ? choosePrecision(asked, calibration && describe(calibration)) : elsewhere(asked, device.chosen);
  return { device, precision };
}

/** The weights that are stored as integers. */
function storedInIntegers({ weights }: Program): readonly TensorInfo[] {
  return weights.flatMap(({ tensors }) => tensors).filter(isCoded);
}

/** What integers were rounded for, and nothing else: fp32 of them would look like the reference and not be it. */
function chooseForIntegers(
  integers: readonly TensorInfo[],
  { precision: asked, device = 'cpu' }: Pick<SessionSettings, 'precision' | 'device'>,
): Omit<LoadedSession, 'session'> {
  const { name, file } = integers[0]!;
  const why = `the weights are stored as int8 (${quote(name)} in ${quotePath(file.path)})`;
  const hint = 'Take the checkpoint that bertha quantize made this one of.';
  if (asked !== undefined && asked !== 'auto' && asked !== 'int8')
    throw unexpected('PRECISION', `int8 or auto for precision, as ${why},`, asked, { hint });
  if (device !== 'cpu' && device !== 'auto') throw unexpected('PRECISION', `the device cpu, as ${why},`, device, { hint });
  const isScaled = integers.some(({ scales }) => scales?.input !== undefined);
  const calibrated = isScaled ? (file.metadata.get(CALIBRATION_KEY) ?? 'unnamed') : undefined;
  const reason = asked === 'int8' ? 'as asked' : 'the weights are stored as int8';
  return {
    device: {
      asked: device,
      chosen: 'cpu',
      reason: device === 'cpu' ? 'as asked' : 'weights stored as int8 have kernels on the CPU alone',
    },
    precision: { ...choosePrecision('int8', calibrated), asked: asked ?? 'auto', reason },
  };
}

/** The backend of another device knows what it can run, and refuses the rest. */
function elsewhere(asked: PrecisionOption, device: string): PrecisionReport {
  return asked === 'auto'
    ? { asked, chosen: 'fp32', reason: `what every device runs; auto knows CPUs, not ${device}` }
    : { asked, chosen: asked, reason: 'as asked' };
}

function smoothed(program: Program, calibration: Calibration): Program {
  checkCalibration(calibration, new Map(smoothableLinears(program).map(({ name, input }) => [name, input.width])));
  return withInputScales(program, calibration.inputScales);
}

function describe({ corpus, texts }: Calibration): string {
  return `${corpus} (${texts} texts)`;
}
