@{
    ModuleVersion        = '0.1.0'
    GUID                 = '9b86caa3-01e7-49f8-b004-b4fe7e66a1fb'
    Author               = 'Signal Harvester contributors'
    CompanyName          = 'Signal Harvester'
    Copyright            = '(c) Signal Harvester contributors'
    Description          = 'PowerShell 7.6+. Backs up live SQLite databases and restores them: consistent, verified, compressed backups in standard formats.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    # The cmdlets first: they refuse a second copy of the module, and the types name a converter of theirs.
    NestedModules        = @('SignalHarvester.Backup.PowerShell.dll', 'SignalHarvester.Backup.Types.psd1')
    FormatsToProcess     = @('SignalHarvester.Backup.Format.ps1xml')
    CmdletsToExport      = @(
        'Compare-SHBackup'
        'Export-SHBackupMetric'
        'Find-SHBackup'
        'Get-SHBackup'
        'Get-SHBackupConfiguration'
        'Get-SHBackupHealth'
        'Get-SHBackupHistory'
        'Get-SHBackupProtection'
        'Get-SHBackupSchedule'
        'Get-SHBackupStore'
        'Get-SHBackupTransaction'
        'Invoke-SHBackupQuery'
        'Invoke-SHBackupRetention'
        'Invoke-SHBackupSchedule'
        'Invoke-SHBackupScrub'
        'Invoke-SHRestoreDrill'
        'Merge-SHBackup'
        'New-SHBackup'
        'New-SHBackupConfiguration'
        'New-SHBackupKey'
        'New-SHBackupStore'
        'Protect-SHBackup'
        'Receive-SHBackup'
        'Register-SHBackupSchedule'
        'Remove-SHBackup'
        'Restore-SHBackup'
        'Send-SHBackup'
        'Start-SHBackupMetricServer'
        'Start-SHBackupProtection'
        'Stop-SHBackupProtection'
        'Test-SHBackup'
        'Test-SHBackupConfiguration'
        'Test-SHBackupStore'
        'Unregister-SHBackupSchedule'
        'Update-SHBackupSchedule'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @('Invoke-SHBackupDrill')
    # What stands in braces here and below comes from the build.
    FileList             = @('{FileList}')
    PrivateData          = @{
        PSData = @{
            ProjectUri   = '{RepositoryUrl}'
            LicenseUri   = '{RepositoryUrl}/blob/main/LICENSE'
            IconUri      = '{RepositoryUrl}/raw/main/src/SignalHarvester.Backup.PowerShell/Package/icon.png'
            ReleaseNotes = '{ReleaseNotes}'
            Tags         = @('SQLite', 'Backup', 'Restore', 'Database', 'WAL', 'S3', 'Azure', 'GoogleCloud', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
        }
    }
}
