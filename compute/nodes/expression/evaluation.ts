import { Meter, type Setting } from "./meter.ts";
import { randomNumbers } from "./random.ts";
import { Scales } from "./weight.ts";

/** What one evaluation of an expression has at hand. */
export class Evaluation {
  readonly meter: Meter;
  scales: Scales;
  #random: (() => number) | null = null;
  readonly #setting: Setting;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.meter = new Meter(setting);
    this.scales = new Scales(this.meter);
  }

  /** A number from 0 up to 1, the same ones in the same order for a seed. */
  random(): number {
    this.#random ??= randomNumbers(this.#setting.seed);
    return this.#random();
  }

  /** Something that was weighed has changed, so that nothing known about weights holds. */
  forgetWeights(): void {
    this.scales = new Scales(this.meter);
  }
}
