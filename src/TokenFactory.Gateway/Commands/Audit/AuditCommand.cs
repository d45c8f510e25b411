using System.CommandLine;

namespace TokenFactory.Gateway.Commands.Audit;

/// <summary><c>gateway audit</c>: the evidence, for those who do not take it on trust.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "Verify and export the audit trail") { AuditVerifyCommand.Create(), AuditExportCommand.Create() };
}
