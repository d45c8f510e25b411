namespace TokenFactory.Storage.Journal;

/// <summary>An admission without a settlement, with the last checkpoint when it had one.</summary>
/// <param name="Row">Its place in the table, to go on from, in a store that has such places.</param>
internal sealed record OpenAdmission(long Row, Admission Admission, Checkpoint? Checkpoint, DateTimeOffset? NotedAt);
