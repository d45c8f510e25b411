using System.Text;

namespace TokenFactory.Gateway.Commands;

/// <summary>Columns as wide as their longest cell, two spaces between them: for people, and for <c>awk</c>.</summary>
internal static class TextTable
{
    public static string Of(IReadOnlyList<string> heads, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = heads.Select((head, i) => rows.Select(row => row[i].Length).Append(head.Length).Max()).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows.Prepend(heads))
        {
            var line = string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i])));
            text.AppendLine(line.TrimEnd());
        }

        return text.ToString().TrimEnd();
    }
}
