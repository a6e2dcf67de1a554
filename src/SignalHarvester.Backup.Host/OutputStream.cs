using System.Management.Automation;
using System.Management.Automation.Internal;

namespace SignalHarvester.Backup.Host;

/// <summary>Standard output or standard error, and what it can show.</summary>
/// <param name="writer">Where the text goes.</param>
/// <param name="isTerminal">Whether a person sees it.</param>
/// <param name="hasColour">Whether escape sequences may reach it.</param>
internal sealed class OutputStream(TextWriter writer, bool isTerminal, bool hasColour)
{
    /// <summary>Gets whether a person sees what is written.</summary>
    public bool IsTerminal => isTerminal;

    /// <summary>Gets whether colours reach the stream.</summary>
    public bool HasColour => hasColour;

    /// <summary>Writes text; escape sequences are taken out where they must not reach the stream.</summary>
    public void Write(string text) =>
        writer.Write(hasColour || !text.Contains('\x1b') ? text : new StringDecorated(text).ToString(OutputRendering.PlainText));

    /// <summary>Writes text as it is.</summary>
    public void WriteRaw(string text) => writer.Write(text);
}
