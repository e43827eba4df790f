/** Any error of this package. */
export class SekaliError extends Error {
  override name = "SekaliError";
}

/** An event that the server would refuse. Nothing of it was buffered or sent. */
export class InvalidEvent extends SekaliError {
  override name = "InvalidEvent";
}

/** A publisher was closed while events were neither stored by the server nor spooled. */
export class NotPublished extends SekaliError {
  override name = "NotPublished";

  constructor(
    readonly count: number,
    reason: string | undefined,
  ) {
    super(`${count} events were not published${reason === undefined ? "" : ` (${reason})`}`);
  }
}

/** The server could not be reached, or asks to be tried again later. A repeat is safe. */
export class Unavailable extends SekaliError {
  override name = "Unavailable";

  /** @param retryAfter seconds that the server asks to wait */
  constructor(
    message: string,
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** A detail of a refusal, as in the server's API documentation. */
export interface ErrorDetail {
  index?: number;
  field?: string;
  parameter?: string;
  reason?: string;
}

/** The server refuses the request for good. */
export class Refused extends SekaliError {
  override name = "Refused";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: ErrorDetail[],
  ) {
    const details = errors.slice(0, 10).map((error) => `\n  ${place(error)}: ${error.reason ?? ""}`);
    super(`${status} ${code}: ${message}${details.join("")}`);
  }
}

function place(error: ErrorDetail): string {
  if (error.index !== undefined) return `event ${error.index} ${error.field ?? ""}`.trimEnd();
  return error.parameter ?? "";
}
