Describe 'Invoke-SHBackupSchedule' {
    It 'leaves a failure in $LASTEXITCODE' {
        $global:LASTEXITCODE = 0
        Invoke-SHBackupSchedule 'no such schedule' -ErrorAction SilentlyContinue
        $global:LASTEXITCODE | Should -Be 1
    }

    It 'ends the process of a task with its exit code' {
        $module = Get-Module SignalHarvester.Backup
        $manifest = Join-Path $module.ModuleBase 'SignalHarvester.Backup.psd1'
        $text = "`$global:LASTEXITCODE = 1; Import-Module '$($manifest -replace "'", "''")'; Invoke-SHBackupSchedule -Name 'no such schedule' -IfDue; exit `$global:LASTEXITCODE"
        pwsh -NoProfile -NonInteractive -Command $text 2>$null
        $LASTEXITCODE | Should -Be 1
    }
}
