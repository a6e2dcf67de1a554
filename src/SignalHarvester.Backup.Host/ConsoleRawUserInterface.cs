using System.Management.Automation.Host;

namespace SignalHarvester.Backup.Host;

/// <summary>What the engine asks of the screen itself: its size and the widths of characters, above all.</summary>
internal sealed class ConsoleRawUserInterface(Terminal terminal, Keyboard keyboard, Func<CancellationToken> stopping) : PSHostRawUserInterface
{
    private ConsoleColor foreground = ConsoleColor.Gray;
    private ConsoleColor background = ConsoleColor.Black;

    /// <inheritdoc/>
    public override ConsoleColor ForegroundColor
    {
        get => foreground;
        set => foreground = value;
    }

    /// <inheritdoc/>
    public override ConsoleColor BackgroundColor
    {
        get => background;
        set => background = value;
    }

    /// <inheritdoc/>
    public override Size BufferSize
    {
        get => new(terminal.OutputColumns, this.Rows);
        set => throw Unsupported();
    }

    /// <inheritdoc/>
    public override Size WindowSize
    {
        get => this.BufferSize;
        set => throw Unsupported();
    }

    /// <inheritdoc/>
    public override Size MaxWindowSize => this.BufferSize;

    /// <inheritdoc/>
    public override Size MaxPhysicalWindowSize => this.BufferSize;

    /// <inheritdoc/>
    public override Coordinates CursorPosition
    {
        get => terminal.CanAsk ? new(Console.CursorLeft, Console.CursorTop) : new(0, 0);
        set => throw Unsupported();
    }

    /// <inheritdoc/>
    public override Coordinates WindowPosition
    {
        get => new(0, 0);
        set => throw Unsupported();
    }

    /// <inheritdoc/>
    public override int CursorSize
    {
        get => 25;
        set => throw Unsupported();
    }

    /// <inheritdoc/>
    public override string WindowTitle
    {
        get => string.Empty;
        set
        {
            if (terminal.HasColour)
            {
                Console.Title = value;
            }
        }
    }

    /// <inheritdoc/>
    public override bool KeyAvailable => terminal.CanAsk && Console.KeyAvailable;

    private int Rows => terminal.CanAsk ? Console.WindowHeight : int.MaxValue;

    /// <inheritdoc/>
    public override KeyInfo ReadKey(ReadKeyOptions options)
    {
        Questions.ThrowIfNobodyAnswers(terminal);
        ConsoleKeyInfo key = keyboard.ReadKey(stopping());
        if (!options.HasFlag(ReadKeyOptions.NoEcho))
        {
            terminal.Ask(key.KeyChar.ToString());
        }

        return new KeyInfo((int)key.Key, key.KeyChar, Modifiers(key), keyDown: true);
    }

    /// <inheritdoc/>
    public override void FlushInputBuffer()
    {
        while (this.KeyAvailable)
        {
            Console.ReadKey(intercept: true);
        }
    }

    /// <inheritdoc/>
    public override int LengthInBufferCells(string source) => CellWidth.Of(source);

    /// <inheritdoc/>
    public override int LengthInBufferCells(string source, int offset) => CellWidth.Of(source.AsSpan(offset));

    /// <inheritdoc/>
    public override int LengthInBufferCells(char source) => CellWidth.Of(source);

    /// <inheritdoc/>
    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw Unsupported();

    /// <inheritdoc/>
    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw Unsupported();

    /// <inheritdoc/>
    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw Unsupported();

    /// <inheritdoc/>
    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw Unsupported();

    private static ControlKeyStates Modifiers(ConsoleKeyInfo key) =>
        (key.Modifiers.HasFlag(ConsoleModifiers.Shift) ? ControlKeyStates.ShiftPressed : 0)
        | (key.Modifiers.HasFlag(ConsoleModifiers.Control) ? ControlKeyStates.LeftCtrlPressed : 0)
        | (key.Modifiers.HasFlag(ConsoleModifiers.Alt) ? ControlKeyStates.LeftAltPressed : 0);

    private static NotSupportedException Unsupported() => new("shbackup does not move or read the screen's contents.");
}
