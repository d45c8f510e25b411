namespace TokenFactory.Inference.Metering;

/// <summary>
/// Leaves the request path when an answer that has begun cannot be ended: the server then sends what was written, the error
/// event last, and closes the connection without the body's end. Aborting it would throw away what the network has not taken
/// yet, and with it the error for any client that is slow. The caller has been told and the request is in the log: the
/// server's own report of this exception is no news.
/// </summary>
public sealed class BrokenAnswerException() : Exception("The answer ends without its end; the client was told why");
