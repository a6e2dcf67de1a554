Describe 'Get-SHBackupProtection' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'shows nothing where nothing was protected; what is shown otherwise is in the spec of Start-SHBackupProtection' {
        Get-SHBackupProtection | Should -BeNullOrEmpty
        Get-SHBackupProtection app.db -BackupDirectory ./backups | Should -BeNullOrEmpty
    }
}
