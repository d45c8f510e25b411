namespace TokenFactory.Storage.Ledger;

/// <summary>How a request ended. The numbers are stored; the names (snake case) are in the usage event.</summary>
public enum Outcome
{
    Completed = 0,
    ClientCut = 1,
    BackendCut = 2,
    Failed = 3,
    TimedOut = 4,
    Cancelled = 5,
    Drained = 6,
    Orphaned = 7,
}
