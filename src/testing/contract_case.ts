/** One case of a contract, for any test runner. */
export interface ContractCase {
  /** What holds. */
  readonly name: string;
  /** Rejects when it does not hold. */
  run(): Promise<void>;
}
