namespace TokenFactory.Storage.Transfer;

/// <param name="Step"><c>export</c>, <c>import</c> or <c>verify</c>.</param>
/// <param name="Elapsed">Since the table's first row.</param>
/// <param name="IsTableDone">Whether these are all of the table's rows.</param>
public sealed record TransferProgress(string Step, string Table, long Rows, TimeSpan Elapsed, bool IsTableDone);

/// <summary>A table as it stands in the file, and after an import also in the store, where it was read again.</summary>
/// <param name="Sha256">Of the rows in their one canonical form.</param>
public sealed record TransferredTable(string Table, long Rows, string Sha256);
